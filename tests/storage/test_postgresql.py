"""PostgreSQL restarted, cut off, out of reach; what is in its messages."""

import json

import httpx
import psycopg
import pytest
from tests.conftest import start_platform, wait_until
from tests.postgres import Cluster

from kedge.core.clock import SystemClock
from kedge.core.errors import Invalid, Unavailable
from kedge.core.inference import Label
from kedge.storage.database import open_database
from kedge.storage.inference import SqlInference
from kedge.storage.postgresql import translated, without_secret
from kedge.storage.statements import statements

pytestmark = pytest.mark.slow
CLOCK = SystemClock()


@pytest.fixture
def own_cluster():
    """One that a test may stop."""
    started = Cluster()
    yield started
    started.remove()


def label(number: int) -> Label:
    return Label(request_id=f"r{number}", row=0, label=1.0, at_ms=number)


def test_a_restart_is_told_and_then_forgotten(own_cluster, tmp_path):
    database = open_database(own_cluster.new(), CLOCK)
    store = SqlInference(database, tmp_path)
    store.add_labels("e", [label(0)])
    own_cluster.stop()
    with pytest.raises(Unavailable, match="does not answer"):
        store.add_labels("e", [label(1)])
    for _ in range(2):  # over a connection that broke, and then without one
        with pytest.raises(Unavailable, match="does not answer"):
            store.labels("e", ["r0"])
    own_cluster.start()
    assert store.labels("e", ["r0"]) == [label(0)]
    assert store.add_labels("e", [label(1)]) == 1
    assert store.labels("e", ["r1"]) == [label(1)]
    database.close()


def test_a_connection_cut_within_a_transaction_leaves_nothing(cluster):
    database = open_database(cluster.new(), CLOCK)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
    with pytest.raises(Unavailable), database.write() as connection:  # noqa: PT012 - the transaction raises
        connection.execute("INSERT INTO kedge_label VALUES ('e', 'r', 1, 0.5, 1)")
        cluster.run(f"{cut}'{database.name.rpartition('/')[2]}'")
        connection.execute("INSERT INTO kedge_label VALUES ('e', 'r', 2, 0.5, 1)")
    assert database.rows("SELECT * FROM kedge_label") == []
    with database.write() as connection:
        connection.execute("INSERT INTO kedge_label VALUES ('e', 'r', 3, 0.5, 1)")
    assert [row["row"] for row in database.rows("SELECT * FROM kedge_label")] == [3]
    database.close()


def test_messages_hold_no_password():
    with pytest.raises(Unavailable) as refused:
        open_database("postgresql://me:geheim@127.0.0.1:1/kedge?sslmode=disable", CLOCK)
    assert "geheim" not in f"{refused.value} {refused.value.hint}"
    assert "me@127.0.0.1:1/kedge" in str(refused.value)
    assert without_secret("postgresql://127.0.0.1/x") == "postgresql://127.0.0.1/x"
    with pytest.raises(Invalid, match="postgresql://"):
        open_database("mysql://me:geheim@x/y", CLOCK)


@pytest.mark.parametrize(
    "file", ["datasets", "deployments", "experiments", "inference", "jobs", "models", "monitors", "pipelines", "reports", "runs", "tracking"]
)  # fmt: skip
def test_placeholders_stand_outside_texts(file):
    """What is replaced by `translated` is a place for an argument, nothing else."""
    for query in statements(file).values():
        lines = query.splitlines()
        sql = "\n".join(line for line in lines if not line.startswith("--"))
        spoken = "".join(part for place, part in enumerate(sql.split("'")) if place % 2)
        comments = "".join(line for line in lines if line.startswith("--"))
        assert not {"?", ":"} & set(spoken)
        assert translated(comments) == comments.replace("%", "%%")


@pytest.mark.acceptance
def test_a_platform_survives_a_restart_of_its_database(own_cluster, tmp_path):
    address = own_cluster.new().replace("kedge@", "kedge:geheim@")
    platform = start_platform(tmp_path / "home", KEDGE_DATABASE=address)
    base = f"{platform.web}/api/2.0/mlflow"
    try:
        created = httpx.post(f"{base}/runs/create", json={"experiment_id": "0"}).json()
        run_id = created["run"]["info"]["run_id"]

        def log(step: int) -> int:
            point = {"run_id": run_id, "key": "m", "value": step, "timestamp": 1, "step": step}
            return httpx.post(f"{base}/runs/log-metric", json=point, timeout=20).status_code

        assert log(0) == 200
        own_cluster.stop()
        assert log(1) == 503
        told = httpx.get(f"{base}/runs/get", params={"run_id": run_id}, timeout=20)
        assert told.status_code == 503
        assert "geheim" not in told.text
        own_cluster.start()
        assert log(2) == 200
        state = json.loads((tmp_path / "home" / "state.json").read_bytes())
        assert state["children"]["web"]["restarts"] == 0
        with psycopg.connect(address) as connection:
            steps = connection.execute("SELECT step FROM metrics ORDER BY step").fetchall()
        assert steps == [(0,), (2,)]
        assert httpx.get(f"{platform.web}/runs").status_code == 200
        wait_until(
            lambda: httpx.get(f"{platform.serving}/v2/health/ready").status_code == 200, "serving answers"
        )
    finally:
        platform.stop()
    for file in (tmp_path / "home").rglob("*"):
        assert not file.is_file() or b"geheim" not in file.read_bytes()
