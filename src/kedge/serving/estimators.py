"""Estimators from files: skops after an audit of its types, pickle only where the operator trusts it."""

import importlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from kedge.core.errors import Invalid
from kedge.serving.unpacked import check_unpacked_size

_TRUSTED_PACKAGES = ("numpy", "scipy", "sklearn")
_HINT_PICKLE = (
    'log the model with serialization_format="skops", or set trust_pickle = true under [serving] in kedge.toml '
    "if everyone who can register models may run code here"
)
_DAMAGED = "the model holds a tree whose nodes point outside of it: the file is damaged"


def load_skops(file: Path) -> Any:
    """Load after an audit: classes of numpy, scipy and scikit-learn may be made, functions and others not.

    skops leaves tree predictors out of its own list because their node indices are followed unchecked by compiled
    code; they are allowed here because `check_trees` checks every index before the model answers.
    """
    import skops.io  # when a model is first loaded: brings all of scikit-learn

    # The file is foreign: the reader may break over it anywhere.
    try:
        check_unpacked_size(file)
        asked = skops.io.get_untrusted_types(file=file)
    except Invalid:
        raise
    except Exception as error:
        raise Invalid(f"{file.name} cannot be read by skops: {type(error).__name__}: {error}") from error
    refused = [name for name in asked if not _is_trusted_class(name)]
    if refused:
        raise Invalid(
            f"{file.name} holds types that are not trusted: {', '.join(refused)}",
            hint="only classes of numpy, scipy and scikit-learn are loaded",
        )
    try:
        estimator = skops.io.load(file, trusted=asked)
        check_trees(estimator)
    except Invalid:
        raise
    except Exception as error:
        raise Invalid(f"{file.name} cannot be read by skops: {type(error).__name__}: {error}") from error
    return estimator


def load_pickle(file: Path, *, trusted: bool) -> Any:
    """Unpickle where trusted. Raises Invalid, without opening the file, where not."""
    if not trusted:
        raise Invalid(
            f"{file.name} is a pickle: loading one runs whatever code it holds, and this server does not trust pickles",
            hint=_HINT_PICKLE,
        )
    try:
        with file.open("rb") as source:
            return pickle.load(source)  # noqa: S301 - by the operator's word
    except Exception as error:
        raise Invalid(f"{file.name} cannot be unpickled: {type(error).__name__}: {error}") from error


def _is_trusted_class(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    if module.split(".")[0] not in _TRUSTED_PACKAGES:
        return False
    try:
        return isinstance(getattr(importlib.import_module(module), attribute), type)
    except (ImportError, AttributeError):
        return False


def check_trees(estimator: Any) -> None:
    """Raise Invalid when a tree anywhere in the estimator points outside of its own arrays."""
    seen: set[int] = set()
    waiting: list[Any] = [estimator]
    while waiting:
        value = waiting.pop()
        if id(value) in seen or isinstance(value, (str, bytes, int, float, type, np.generic)):
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, (list, tuple, set, frozenset)):
            waiting.extend(value)
        elif isinstance(value, np.ndarray):
            waiting.extend(value.flat if value.dtype == object else ())
        else:
            if isinstance(getattr(value, "_predictors", None), list):
                _check_predictors(value)
            if hasattr(getattr(value, "tree_", None), "children_left"):
                _check_tree(value.tree_)
            waiting.extend(getattr(value, "__dict__", {}).values())


def _check_predictors(estimator: Any) -> None:
    features = int(getattr(estimator, "n_features_in_", 0))
    for iteration in estimator._predictors:  # noqa: SLF001 - where scikit-learn keeps its trees
        for tree in iteration:
            nodes = tree.nodes
            inner = nodes[nodes["is_leaf"] == 0]
            categorical = inner[inner["is_categorical"] != 0]
            at = np.arange(len(nodes))[nodes["is_leaf"] == 0]
            sound = (
                len(nodes) > 0
                # Children lie behind their parent, so that every walk ends.
                and bool((inner["left"] > at).all() and (inner["right"] > at).all())
                and bool((inner["left"] < len(nodes)).all() and (inner["right"] < len(nodes)).all())
                and bool((inner["feature_idx"] >= 0).all() and (inner["feature_idx"] < features).all())
                and bool((categorical["bitset_idx"] < len(tree.raw_left_cat_bitsets)).all())
            )
            if not sound:
                raise Invalid(_DAMAGED)


def _check_tree(tree: Any) -> None:
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    inner = left != -1
    at = np.arange(len(left))[inner]
    sound = (
        len(left) == tree.node_count > 0
        and bool((left[inner] > at).all() and (right[inner] > at).all())
        and bool((left[inner] < len(left)).all() and (right[inner] < len(left)).all())
        and bool((feature[inner] >= 0).all() and (feature[inner] < tree.n_features).all())
    )
    if not sound:
        raise Invalid(_DAMAGED)
