"""MLflow's client, unmodified, against web: tracking, artifacts, models, registry; and a body that is larger than memory allows."""

import gzip
import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from tests.conftest import Platform, start_platform

mlflow = pytest.importorskip("mlflow")

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.filterwarnings("ignore::Warning"),
]  # MLflow's and its libraries' own

LARGE_BYTES = 100 * 1024 * 1024
WEB_LIMIT_MIB = 150


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Platform]:
    address = "sqlite" if request.param == "sqlite" else request.getfixturevalue("cluster").new()
    started = start_platform(tmp_path_factory.mktemp("mlflow") / "home", KEDGE_DATABASE=address)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(started.web)
    mlflow.set_experiment("Default")
    yield started
    mlflow.set_tracking_uri(before)
    started.stop()


def web_mib(platform: Platform) -> float:
    pid = json.loads((platform.home / "state.json").read_bytes())["children"]["web"]["pid"]
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def test_runs_metrics_params_tags_and_search(shared: Platform) -> None:
    mlflow.set_experiment("tracking")
    with mlflow.start_run(run_name="first", tags={"who": "<b>me</b>"}) as run:
        mlflow.log_params({"alpha": 0.1, "name": "ü"})
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"auc": 0.8, "f1": 0.5})
    client = mlflow.MlflowClient()
    found = client.get_run(run.info.run_id)
    assert found.data.params == {"alpha": "0.1", "name": "ü"}
    assert found.data.metrics == {"loss": 0.2, "auc": 0.8, "f1": 0.5}
    assert [point.step for point in client.get_metric_history(run.info.run_id, "loss")] == [0, 1, 2, 3, 4]
    assert len(mlflow.search_runs(experiment_names=["tracking"], filter_string="metrics.auc > 0.7")) == 1
    page = httpx.get(f"{shared.web}/runs/{run.info.run_id}").text
    assert "alpha" in page
    assert "&lt;b&gt;me&lt;/b&gt;" in page
    assert "first" in httpx.get(f"{shared.web}/runs?q=first").text


def test_large_artifacts_pass_through_without_filling_web(shared: Platform, tmp_path: Path) -> None:
    source = tmp_path / "large.bin"
    block = np.random.default_rng(1).bytes(1024 * 1024)
    with source.open("wb") as file:
        for _ in range(LARGE_BYTES // len(block)):
            file.write(block)
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(source))
        mlflow.log_text("hello", "deep/er/note.txt")
    got = mlflow.artifacts.download_artifacts(
        run_id=run.info.run_id, artifact_path="large.bin", dst_path=str(tmp_path / "got")
    )
    assert Path(got).stat().st_size == LARGE_BYTES
    assert Path(got).read_bytes() == source.read_bytes()
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/deep/er/note.txt") == "hello"
    assert [each.path for each in mlflow.MlflowClient().list_artifacts(run.info.run_id, "deep/er")] == [
        "deep/er/note.txt"
    ]
    assert web_mib(shared) < WEB_LIMIT_MIB
    with pytest.raises(Exception, match=r"40[04] Client Error"):
        mlflow.artifacts.download_artifacts(
            artifact_uri="mlflow-artifacts:/../../../kedge.db", dst_path=str(tmp_path)
        )


def test_artifacts_with_odd_names_come_back(shared: Platform, tmp_path: Path) -> None:
    names = ["100%.txt", "a;b c.txt", "back\\slash.txt", "ü&+.txt"]
    with mlflow.start_run() as run:
        for name in names:
            mlflow.log_text(name, f"odd;%/{name}")
    got = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, dst_path=str(tmp_path)))
    assert sorted(each.name for each in (got / "odd;%").iterdir()) == names
    assert [(got / "odd;%" / name).read_text() for name in names] == names
    assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/odd;%/100%.txt") == "100%.txt"


def test_a_model_is_logged_registered_loaded_and_served(shared: Platform) -> None:
    from sklearn.linear_model import LogisticRegression

    import kedge

    x = np.random.default_rng(2).normal(size=(200, 3))
    model = LogisticRegression().fit(x, x[:, 0] > 0)
    signature = mlflow.models.infer_signature(x, model.predict_proba(x))
    with mlflow.start_run():
        mlflow.sklearn.log_model(
            model,
            name="model",
            signature=signature,
            registered_model_name="plain",
            pip_requirements=["scikit-learn"],
            pyfunc_predict_fn="predict_proba",
        )
    client = mlflow.MlflowClient()
    client.set_registered_model_alias("plain", "champion", "1")
    loaded = mlflow.sklearn.load_model("models:/plain@champion")
    expected = model.predict_proba(x[:5])
    assert np.allclose(loaded.predict_proba(x[:5]), expected)
    connection = kedge.connect(shared.web)
    kedge.deploy("plain", model="plain", alias="champion")
    body = {"inputs": [{"name": "x", "shape": [5, 3], "datatype": "FP64", "data": x[:5].ravel().tolist()}]}
    reply = httpx.post(f"{shared.serving}/v2/models/plain/infer", json=body)
    assert reply.status_code == 200, reply.text
    assert np.allclose(np.array(reply.json()["outputs"][0]["data"]).reshape(5, 2), expected)
    scored = httpx.post(f"{shared.serving}/endpoints/plain/invocations", json={"inputs": x[:5].tolist()})
    assert np.allclose(scored.json()["predictions"], expected)
    assert "plain v1" in httpx.get(f"{shared.web}/endpoints/plain").text
    connection.close()


@pytest.fixture
def no_look_at_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a model needs is found out in processes that take seconds, and is no business of a server's."""
    monkeypatch.setattr(mlflow.models, "infer_pip_requirements", lambda *_, **__: ["scikit-learn"])


@pytest.mark.usefixtures("no_look_at_packages")
def test_scikit_learn_logs_by_itself(shared: Platform) -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import GridSearchCV

    mlflow.set_experiment("autolog")
    x = np.random.default_rng(3).normal(size=(80, 3))
    y = x[:, 0] > 0
    mlflow.sklearn.autolog(log_input_examples=True, log_model_signatures=True, silent=True)
    try:
        with mlflow.start_run() as run:
            model = RandomForestClassifier(n_estimators=5, random_state=0).fit(x, y)
            model.score(x, y)
        with mlflow.start_run() as search:
            GridSearchCV(
                RandomForestClassifier(n_estimators=3, random_state=0), {"max_depth": [1, 2]}, cv=2
            ).fit(x, y)
    finally:
        mlflow.sklearn.autolog(disable=True)
    client = mlflow.MlflowClient()
    found = client.get_run(run.info.run_id)
    assert found.data.params["n_estimators"] == "5"
    assert found.data.metrics["training_accuracy_score"] == model.score(x, y)
    assert found.inputs.dataset_inputs[0].dataset.source_type
    assert found.outputs.model_outputs
    (logged,) = mlflow.search_logged_models(
        experiment_ids=[found.info.experiment_id], filter_string=f"source_run_id = '{run.info.run_id}'", output_format="list"
    )  # fmt: skip
    assert logged.metrics[0].key.startswith("training_")
    loaded = mlflow.pyfunc.load_model(logged.model_uri)
    assert list(loaded.predict(x)) == list(model.predict(x))
    children = client.search_runs(
        [found.info.experiment_id], f"tags.`mlflow.parentRunId` = '{search.info.run_id}'"
    )
    assert sorted(child.data.params["max_depth"] for child in children) == ["1", "2"]
    assert client.get_run(search.info.run_id).data.params["best_max_depth"] in ("1", "2")


@pytest.mark.usefixtures("no_look_at_packages")
def test_pytorch_logs_by_itself(shared: Platform) -> None:
    """Where Lightning is installed: it is too large for the development lock."""
    lightning = pytest.importorskip("lightning.pytorch")
    torch = pytest.importorskip("torch")

    class Line(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)

        def forward(self, x):
            return self.layer(x)

        def training_step(self, batch, _):
            loss = torch.nn.functional.mse_loss(self(batch[0]), batch[1])
            self.log("loss", loss, on_epoch=True)
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    mlflow.set_experiment("autolog")
    torch.manual_seed(0)
    x = torch.randn(32, 2)
    rows = torch.utils.data.TensorDataset(x, x.sum(1, keepdim=True))
    model = Line()
    mlflow.pytorch.autolog()
    try:
        with mlflow.start_run() as run:
            trainer = lightning.Trainer(
                max_epochs=3,
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                accelerator="cpu",
            )
            trainer.fit(model, torch.utils.data.DataLoader(rows, batch_size=16))
    finally:
        mlflow.pytorch.autolog(disable=True)
    client = mlflow.MlflowClient()
    found = client.get_run(run.info.run_id)
    assert found.data.params["optimizer_name"] == "SGD"
    assert found.data.params["epochs"] == "3"
    history = client.get_metric_history(run.info.run_id, "loss_epoch")
    assert [point.step for point in history] == [0, 1, 2]
    assert history[-1].value < history[0].value
    (output,) = found.outputs.model_outputs
    loaded = mlflow.pytorch.load_model(f"models:/{output.model_id}")
    assert torch.allclose(loaded(x), model(x))


def test_traces_and_prompts_reach_mlflow_too(shared: Platform) -> None:
    @mlflow.trace
    def work(x: int) -> int:
        return x + 1

    mlflow.set_experiment("traces")
    assert work(1) == 2
    mlflow.flush_trace_async_logging()
    experiment = mlflow.get_experiment_by_name("traces").experiment_id
    assert len(mlflow.search_traces(locations=[experiment])) == 1


def spans_of(experiment: str, condition: str) -> list[list[str]]:
    """The names of the spans of each trace that is found."""
    found = mlflow.search_traces(locations=[experiment], filter_string=condition, return_type="list")
    return sorted([span.name for span in trace.data.spans] for trace in found)


def test_spans_are_stored_and_found(shared: Platform) -> None:
    @mlflow.trace(span_type="TOOL", name="worker")
    def work(x: int) -> int:
        return x + 1

    mlflow.set_experiment("spans")
    assert (work(1), work(2)) == (2, 3)
    mlflow.flush_trace_async_logging()
    experiment = mlflow.get_experiment_by_name("spans").experiment_id
    for condition in ("span.type = 'TOOL'", "span.name = 'worker'", "trace.text LIKE '%worker%'"):
        assert spans_of(experiment, condition) == [["worker"], ["worker"]], condition
    assert spans_of(experiment, "span.name = 'other'") == []


@pytest.mark.parametrize("prefix", ["", "/mlflow"])
def test_spans_of_any_client_come_in_packed_too(shared: Platform, prefix: str) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    experiment = mlflow.set_experiment(f"packed{prefix.replace('/', '-')}").experiment_id
    sent = ExportTraceServiceRequest()
    span = sent.resource_spans.add().scope_spans.add().spans.add()
    span.name, span.trace_id, span.span_id = "packed", secrets.token_bytes(16), secrets.token_bytes(8)
    span.start_time_unix_nano, span.end_time_unix_nano = 10**18, 10**18 + 5
    headers = {
        "content-type": "application/x-protobuf",
        "content-encoding": "gzip",
        "x-mlflow-experiment-id": experiment,
    }
    body = gzip.compress(sent.SerializeToString())
    reply = httpx.post(f"{shared.web}{prefix}/v1/traces", content=body, headers=headers)
    assert reply.status_code == 200, reply.text
    assert spans_of(experiment, "span.name = 'packed'") == [["packed"]]
    assert (
        httpx.post(f"{shared.web}{prefix}/v1/traces", headers={"origin": "http://evil.com"}).status_code
        == 403
    )


@pytest.mark.parametrize(
    "path",
    [
        "/ajax-api/3.0/mlflow/assistant/config",
        "/api/3.0/mlflow/jobs/search",
        "/gateway/x",
        "/api/2.0/mlflow/webhooks",
        "/ajax-api/2.0/mlflow/gateway-proxy",
        "/ajax-api/2.0/mlflow/runs/create-promptlab-run",
        "/ajax-api/3.0/mlflow/genai/evaluate/invoke",
        "/ajax-api/3.0/mlflow/issues/invoke",
        "/ajax-api/3.0/mlflow/demo/generate",
    ],
)
def test_what_is_on_no_list_is_not_there(shared: Platform, path: str) -> None:
    assert httpx.get(shared.web + path).status_code == 404
    assert httpx.post(shared.web + path, json={}).status_code in (404, 405)


def test_a_logged_page_cannot_run_in_ours(shared: Platform) -> None:
    with mlflow.start_run() as run:
        mlflow.log_text("<script>alert(1)</script>", "page.html")
    reply = httpx.get(f"{shared.web}/get-artifact", params={"path": "page.html", "run_uuid": run.info.run_id})
    assert reply.status_code == 200
    assert reply.headers["content-security-policy"].startswith("sandbox")
    assert reply.headers["x-content-type-options"] == "nosniff"


def mlflow_runs(platform: Platform) -> bool:
    """Whether MLflow's own server had to be started."""
    return bool(httpx.get(f"{platform.web}/api/kedge/v1/status").json()["mlflow"]["running"])


def test_the_common_way_of_a_model_needs_no_server_of_mlflows(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    from sklearn.linear_model import LogisticRegression

    platform = start_platform(tmp_path_factory.mktemp("alone") / "home")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(platform.web)
    try:
        mlflow.set_experiment("alone")
        x = np.random.default_rng(0).normal(size=(60, 3))
        with mlflow.start_run() as run:
            mlflow.log_input(mlflow.data.from_numpy(x, name="rows"), context="train")
            mlflow.log_metric("m", float("nan"))
            model = LogisticRegression().fit(x, x[:, 0] > 0)
            mlflow.sklearn.log_model(
                model,
                name="model",
                input_example=x[:2],
                pip_requirements=["scikit-learn"],
                registered_model_name="alone",
            )
        client = mlflow.MlflowClient()
        client.set_registered_model_alias("alone", "champion", "1")
        assert client.get_model_version_by_alias("alone", "champion").run_id == run.info.run_id
        assert list(mlflow.pyfunc.load_model("models:/alone@champion").predict(x)) == list(model.predict(x))
        found = client.get_run(run.info.run_id)
        assert found.inputs.dataset_inputs[0].dataset.name == "rows"
        assert found.outputs.model_outputs[0].model_id.startswith("m-")
        assert np.isnan(found.data.metrics["m"])
        assert [each.name for each in client.search_registered_models()] == ["alone"]
        assert [each.version for each in client.search_model_versions("name = 'alone'")] == ["1"]
        assert [each.name for each in mlflow.search_logged_models(output_format="list")] == ["model"]
        assert not mlflow_runs(platform)
        # What only MLflow's server answers starts it, over the same tables.
        assert client.search_traces(locations=[found.info.experiment_id]) == []
        assert mlflow_runs(platform)
        assert client.get_run(run.info.run_id).data.params == {}
    finally:
        mlflow.set_tracking_uri(before)
        platform.stop()


def test_artifacts_in_ranges_and_no_way_out(shared: Platform) -> None:
    with mlflow.start_run() as run:
        mlflow.log_text("0123456789", "digits.txt")
    root = run.info.artifact_uri.removeprefix("mlflow-artifacts:/")
    address = f"{shared.web}/api/2.0/mlflow-artifacts/artifacts/{root}/digits.txt"
    with httpx.Client() as client:
        part = client.get(address, headers={"range": "bytes=2-4"})
        assert (part.status_code, part.text) == (206, "234")
        assert client.get(address, headers={"range": "bytes=99-"}).status_code == 416
        whole = client.get(
            f"{shared.web}/get-artifact", params={"run_id": run.info.run_id, "path": "digits.txt"}
        )
        assert whole.text == "0123456789"
        assert whole.headers["content-security-policy"].startswith("sandbox")
        assert "attachment" in whole.headers["content-disposition"]
        for path in (
            "../../kedge.db",
            "%2e%2e/%2e%2e/kedge.db",
            "..%2F..%2Fkedge.db",
            "%252e%252e/kedge.db",
            "/etc/passwd",
        ):
            for reply in (
                client.get(f"{shared.web}/get-artifact?run_id={run.info.run_id}&path={path}"),
                client.get(f"{shared.web}/api/2.0/mlflow-artifacts/artifacts?path={path}"),
                client.get(f"{shared.web}/api/2.0/mlflow-artifacts/artifacts/{path}"),
                client.put(f"{shared.web}/api/2.0/mlflow-artifacts/artifacts/{path}", content=b"x"),
            ):
                assert reply.status_code in (400, 404), (path, reply.request.url, reply.text)
                assert b"SQLite" not in reply.content
        missing = client.get(f"{shared.web}/api/2.0/mlflow-artifacts/artifacts/none/at/all.txt")
        assert (missing.status_code, missing.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
