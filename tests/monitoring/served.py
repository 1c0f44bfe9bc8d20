"""A real data directory with a served past: segments as serving writes them, labels, a reference, deployments."""

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kedge.app.wiring import open_services
from kedge.core.clock import SystemClock
from kedge.core.datasets import ColumnProfile, DatasetFile, NewDatasetVersion
from kedge.core.deployments import Deployment
from kedge.core.ids import new_id
from kedge.core.inference import InferenceSegment, Label
from kedge.core.jobs import Job
from kedge.core.services import Addresses

DAY = 86_400_000
START = 1_356_998_400_000  # 2013-01-01


class Platform:
    """Services on a temporary home, and ways to fill it."""

    def __init__(self, home: Path) -> None:
        home.mkdir(exist_ok=True)
        self.home = home
        self.services, self.database = self.open()
        self.deployment = self.deploy("1")

    def open(self):
        """The same home as another process would open it."""
        return open_services(
            self.home, Addresses(web="http://127.0.0.1:1", serving="http://127.0.0.1:2"), SystemClock()
        )

    def deploy(self, version: str) -> str:
        deployment = Deployment(
            id=new_id(),
            endpoint="flights",
            model_name="late",
            model_version=version,
            source="/nowhere",
            state="pending",
            created_ms=1,
        )
        self.services.deployments.deploy(deployment)
        self.services.deployments.mark(deployment.id, "live")
        return deployment.id

    def add_reference(self, columns: dict[str, np.ndarray], tag: str = "reference") -> str:
        buffer = io.BytesIO()
        table = pa.table(columns)
        pq.write_table(table, buffer)
        object_id = self.services.objects.put([buffer.getvalue()])
        version = self.services.datasets.add(
            NewDatasetVersion(
                dataset="flights",
                files=(
                    DatasetFile(
                        path="data.parquet",
                        object_id=object_id,
                        size_bytes=len(buffer.getvalue()),
                        rows=table.num_rows,
                    ),
                ),
                columns=tuple(ColumnProfile(name=name, type="x") for name in columns),
                rows=table.num_rows,
                tag=tag,
            )
        )
        return version.id

    def log(
        self, day: int, inputs: dict, predictions: np.ndarray, labels: np.ndarray | None = None, **more
    ) -> None:
        """A day's rows in one segment, spread over the day, and their labels, known a day later."""
        rows = len(predictions)
        request = more.get("request", f"day-{day}")
        deployment = more.get("deployment", self.deployment)
        at_ms = more.get("at_ms", START + day * DAY + np.arange(rows) * (DAY // rows))
        columns = {
            "request_id": pa.array([request] * rows, pa.string()),
            "row": pa.array(np.arange(rows), pa.int32()),
            "at_ms": pa.array(at_ms, pa.int64()),
            "deployment_id": pa.array([deployment] * rows, pa.string()),
            "model_version": pa.array(["1"] * rows, pa.string()),
            "prediction": pa.array(predictions, pa.float64()),
        }
        columns |= {f"input.{name}": pa.array(values) for name, values in inputs.items()}
        identifier = new_id()
        path = self.services.inference.folder("flights") / f"{identifier}.parquet"
        pq.write_table(pa.table(columns), path, compression="zstd")
        self.services.inference.add_segment(
            InferenceSegment(
                id=identifier,
                endpoint="flights",
                deployment_id=deployment,
                path=str(path),
                rows=rows,
                first_at_ms=int(at_ms[0]),
                last_at_ms=int(at_ms[-1]),
                created_ms=2,
            )
        )
        if labels is not None:
            known_ms = START + (day + 2) * DAY
            self.services.inference.add_labels(
                "flights",
                [
                    Label(request_id=request, row=row, label=float(label), at_ms=known_ms)
                    for row, label in enumerate(labels)
                ],
            )


def job_of(monitor: str, until_ms: int | None = None) -> Job:
    """The job that a worker would have claimed."""
    return Job(
        id=new_id(),
        kind="monitor",
        payload={"monitor": monitor, "until_ms": until_ms},
        state="running",
        created_ms=0,
    )


def answers(generator: np.random.Generator, rows: int, skill: float) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and labels: the higher the skill, the better they go together."""
    labels = (generator.random(rows) < 0.3).astype(float)
    return np.clip(0.3 + skill * (labels - 0.3) + generator.normal(0, 0.15, rows), 0, 1), labels
