"""All seams in one value, built by `app` and passed to routes, pages and jobs."""

from pathlib import Path
from typing import Protocol

import msgspec

from kedge.core.artifacts import ArtifactStore
from kedge.core.clock import Clock
from kedge.core.datasets import DatasetStore
from kedge.core.deployments import DeploymentStore
from kedge.core.inference import InferenceStore
from kedge.core.jobs import JobQueue
from kedge.core.models import ModelReader
from kedge.core.monitors import MonitorStore
from kedge.core.objects import ObjectStore
from kedge.core.pipelines import PipelineStore
from kedge.core.reports import ReportStore
from kedge.core.runs import TrackingStore
from kedge.core.tracking import TrackingReader


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Where the processes of this platform answer."""

    web: str
    serving: str


class Tracking(TrackingStore, ModelReader, Protocol):
    """All of MLflow's tables."""


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a handler, page or job may reach."""

    clock: Clock
    home: Path
    addresses: Addresses
    objects: ObjectStore
    datasets: DatasetStore
    jobs: JobQueue
    pipelines: PipelineStore
    reports: ReportStore
    deployments: DeploymentStore
    inference: InferenceStore
    monitors: MonitorStore
    tracking: TrackingReader
    runs: Tracking
    artifacts: ArtifactStore
