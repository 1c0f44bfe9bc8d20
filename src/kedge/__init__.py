"""Kedge: an open MLOps platform whose heart is drift monitoring.

The names below are loaded when first used, so that `import kedge.drift` brings nothing of the rest.
"""

from importlib import import_module
from typing import Any

_EXPORTS = {
    "connect": "kedge.client.connection:connect",
    "dataset": "kedge.client.datasets:dataset",
    "step": "kedge.pipelines.step:step",
    "pipeline": "kedge.pipelines.pipeline:pipeline",
    "run": "kedge.client.pipelines:RunHandle",
    "submit": "kedge.client.pipelines:submit",
    "validate": "kedge.client.validate",
    "deploy": "kedge.client.deployments:deploy",
    "endpoint": "kedge.client.deployments:endpoint",
    "monitor": "kedge.client.monitor",
    "trigger": "kedge.client.monitor:trigger",
}

__all__ = [
    "connect",
    "dataset",
    "deploy",
    "endpoint",
    "monitor",
    "pipeline",
    "run",
    "step",
    "submit",
    "trigger",
    "validate",
]


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'kedge' has no attribute {name!r}")
    module, _, attribute = _EXPORTS[name].partition(":")
    loaded = import_module(module)
    return getattr(loaded, attribute) if attribute else loaded
