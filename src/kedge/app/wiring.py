"""The seams and their implementations joined: the one place that names both."""

from pathlib import Path

from kedge.app.places import open_artifacts
from kedge.core.clock import Clock
from kedge.core.home import Home
from kedge.core.services import Addresses, Services
from kedge.storage.database import Database, open_database
from kedge.storage.datasets import SqlDatasets
from kedge.storage.deployments import SqlDeployments
from kedge.storage.inference import SqlInference
from kedge.storage.jobs import SqlJobs
from kedge.storage.monitors import SqlMonitors
from kedge.storage.objects import FolderObjects
from kedge.storage.pipelines import SqlPipelines
from kedge.storage.reports import SqlReports
from kedge.storage.s3_signing import S3Place
from kedge.storage.tracking import MlflowTables
from kedge.storage.tracking_store import SqlTracking


def open_services(
    home: Path,
    addresses: Addresses,
    clock: Clock,
    database_at: Path | str | None = None,
    artifacts_at: tuple[S3Place | None, bool] = (None, False),
) -> tuple[Services, Database]:
    """Open the data directory, and its database where that is elsewhere, and build every seam on them.

    What an older Kedge wrote is migrated.
    """
    place = Home(home)
    place.root.mkdir(parents=True, exist_ok=True)
    s3, direct = artifacts_at
    artifacts = open_artifacts(place.artifacts, s3, clock, direct=direct)
    database = open_database(place.database if database_at is None else database_at, clock)
    services = Services(
        clock=clock,
        home=place.root,
        addresses=addresses,
        objects=FolderObjects(place.objects),
        datasets=SqlDatasets(database, clock),
        jobs=SqlJobs(database, clock),
        pipelines=SqlPipelines(database),
        reports=SqlReports(database),
        deployments=SqlDeployments(database, clock),
        inference=SqlInference(database, place.inference),
        monitors=SqlMonitors(database),
        tracking=MlflowTables(database, None if s3 else place.artifacts, place.root),
        runs=SqlTracking(database, clock),
        artifacts=artifacts,
    )
    return services, database
