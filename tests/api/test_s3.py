"""Artifacts on S3 through a running platform: MLflow's client unmodified, large files, faults."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from tests.ceph import SECRET, Gateway
from tests.conftest import Platform, answers, start_platform, wait_until

mlflow = pytest.importorskip("mlflow")

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.filterwarnings("ignore::Warning"),
]  # MLflow's and its libraries' own

LARGE_MIB = 300
WEB_LIMIT_MIB = 150
PROXY = "/api/2.0/mlflow-artifacts"


@pytest.fixture(scope="module")
def bucket(gateway: Gateway) -> str:
    return gateway.new_bucket()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, gateway: Gateway, bucket: str) -> Iterator[Platform]:
    started = start_platform(tmp_path_factory.mktemp("s3") / "home", **gateway.variables(bucket))
    yield started
    started.stop()


@pytest.fixture(autouse=True)
def tracked() -> Iterator[None]:
    before = mlflow.get_tracking_uri()
    yield
    mlflow.set_tracking_uri(before)


@pytest.fixture
def client(shared: Platform) -> Iterator[httpx.Client]:
    mlflow.set_tracking_uri(shared.web)
    mlflow.set_experiment("s3")
    with httpx.Client(base_url=shared.web, trust_env=False, timeout=60) as opened:
        yield opened


def pid_of(platform: Platform, name: str) -> int:
    return int(json.loads((platform.home / "state.json").read_bytes())["children"][name]["pid"])


def root_of(run: "mlflow.ActiveRun") -> str:
    return str(run.info.artifact_uri).removeprefix("mlflow-artifacts:/")


def train(registered: str, x: np.ndarray) -> "mlflow.models.model.ModelInfo":
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(x, x[:, 0] > 0)
    signature = mlflow.models.infer_signature(x, model.predict(x))
    with mlflow.start_run():
        return mlflow.sklearn.log_model(
            model,
            name="model",
            signature=signature,
            registered_model_name=registered,
            pip_requirements=["scikit-learn"],
        )


def test_files_of_a_run(
    shared: Platform, client: httpx.Client, gateway: Gateway, bucket: str, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    (folder / "deep/er").mkdir(parents=True)
    (folder / "a b.txt").write_text("a")
    (folder / "deep/er/ü.txt").write_text("ü")
    with mlflow.start_run() as run:
        mlflow.log_text("hello", "note.txt")
        mlflow.log_artifacts(str(folder), "all")
    names = ["all/a b.txt", "all/deep/er/ü.txt", "note.txt"]
    kept = [key for key in gateway.keys(bucket) if run.info.run_id in key]
    assert kept == [f"kept/here/{root_of(run)}/{name}" for name in names]
    tracking = mlflow.MlflowClient()
    assert [(each.path, each.is_dir) for each in tracking.list_artifacts(run.info.run_id)] == [
        ("all", True),
        ("note.txt", False),
    ]
    assert [each.path for each in tracking.list_artifacts(run.info.run_id, "all/deep/er")] == [
        "all/deep/er/ü.txt"
    ]
    got = Path(
        mlflow.artifacts.download_artifacts(
            artifact_uri=run.info.artifact_uri, dst_path=str(tmp_path / "got")
        )
    )
    assert sorted(str(each.relative_to(got)) for each in got.rglob("*") if each.is_file()) == names
    assert (got / "all/deep/er/ü.txt").read_text() == "ü"
    for _ in range(2):  # MLflow's server says the same of what is not there
        assert client.delete(f"{PROXY}/artifacts/{root_of(run)}/all").status_code == 200
    assert [each.path for each in tracking.list_artifacts(run.info.run_id)] == ["note.txt"]
    assert not (shared.home / "artifacts").exists()


def test_ranges(client: httpx.Client) -> None:
    with mlflow.start_run() as run:
        mlflow.log_text("0123456789", "digits.txt")
    address = f"{PROXY}/artifacts/{root_of(run)}/digits.txt"
    whole = client.get(address)
    assert (whole.status_code, whole.text, whole.headers["content-length"]) == (200, "0123456789", "10")
    part = client.get(address, headers={"range": "bytes=2-4", "if-range": whole.headers["etag"]})
    assert (part.status_code, part.text, part.headers["content-range"]) == (206, "234", "bytes 2-4/10")
    assert client.get(address, headers={"range": "bytes=2-4", "if-range": '"other"'}).status_code == 200
    assert client.get(address, headers={"range": "bytes=10-"}).status_code == 416
    assert client.head(address).headers["content-length"] == "10"
    assert client.get(address + "x").json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert client.get(f"{PROXY}/artifacts/..%2f..%2fkedge.db").status_code == 400


def test_large_files_pass_through_without_filling_web(
    shared: Platform, client: httpx.Client, gateway: Gateway, bucket: str, tmp_path: Path
) -> None:
    block = np.random.default_rng(1).bytes(1 << 20)
    source = tmp_path / "large.bin"
    with source.open("wb") as file:
        for _ in range(LARGE_MIB):
            file.write(block)
    with mlflow.start_run() as run, source.open("rb") as file:
        address = f"{PROXY}/artifacts/{root_of(run)}/large.bin"
        assert client.put(address, content=file).status_code == 200
    size = 0
    with client.stream("GET", address) as reply:
        for chunk in reply.iter_bytes(1 << 20):
            assert chunk == block
            size += len(chunk)
    assert size == LARGE_MIB << 20
    assert gateway.uploads(bucket) == []
    status = Path(f"/proc/{pid_of(shared, 'web')}/status").read_text()
    peak_mib = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
    print(f"web at most {peak_mib:.0f} MiB")
    assert peak_mib < WEB_LIMIT_MIB
    client.delete(address)


@pytest.mark.parametrize("forced", [True, False])
def test_mlflows_client_sends_large_files_in_parts_to_the_bucket_itself(
    client: httpx.Client,
    gateway: Gateway,
    bucket: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forced: bool,
) -> None:
    """Asked for by a variable, and without one, because the server says that it can."""
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", str(20 << 20))
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", str(8 << 20))
    monkeypatch.setenv("MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE", str(10 << 20))
    if forced:
        monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
        monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "true")
    source = tmp_path / "parts 1+1 ü.bin"
    source.write_bytes(np.random.default_rng(2).bytes(41 << 20))
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(source), "in parts")
    key = f"kept/here/{root_of(run)}/in parts/{source.name}"
    assert gateway.ask("HEAD", bucket, key).headers["etag"].endswith('-6"')
    got = mlflow.artifacts.download_artifacts(
        artifact_uri=f"{run.info.artifact_uri}/in parts/{source.name}", dst_path=str(tmp_path / "got")
    )
    assert Path(got).read_bytes() == source.read_bytes()
    assert gateway.uploads(bucket) == []


def test_uploads_in_parts_by_hand(client: httpx.Client, gateway: Gateway, bucket: str) -> None:
    def post(what: str, **fields: object) -> httpx.Response:
        return client.post(f"{PROXY}/mpu/{what}/1/by/hand", json={"path": "/home/me/file.bin", **fields})

    begun = post("create", num_parts="2").json()
    assert [each["part_number"] for each in begun["credentials"]] == [1, 2]
    assert gateway.uploads(bucket) == ["kept/here/1/by/hand/file.bin"]
    tags = [
        httpx.put(each["url"], content=b"x" * size).headers["etag"]
        for each, size in zip(begun["credentials"], (5 << 20, 3), strict=True)
    ]
    parts = [{"part_number": number, "etag": tag} for number, tag in enumerate(tags, 1)]
    wrong = post("complete", upload_id=begun["upload_id"], parts=[{"part_number": 1, "etag": '"0"'}])
    assert (wrong.status_code, wrong.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert client.get(f"{PROXY}/artifacts", params={"path": "1/by/hand"}).json() == {}
    assert post("complete", upload_id=begun["upload_id"], parts=parts).json() == {}
    assert len(client.get(f"{PROXY}/artifacts/1/by/hand/file.bin").content) == (5 << 20) + 3
    begun = post("create", num_parts=1).json()
    assert post("abort", upload_id=begun["upload_id"]).json() == {}
    assert post("abort", upload_id=begun["upload_id"]).json() == {}
    gone = client.post(
        f"{PROXY}/mpu/complete/1/by", json={"path": "none", "upload_id": begun["upload_id"], "parts": parts}
    )
    # S3 says NoSuchUpload; Ceph's release 16 calls it an internal error.
    assert (gone.status_code, gone.json()["error_code"]) in (
        (404, "RESOURCE_DOES_NOT_EXIST"),
        (503, "TEMPORARILY_UNAVAILABLE"),
    )
    assert gateway.uploads(bucket) == []
    for fields in (
        {"num_parts": 10_001},
        {"num_parts": -1},
        {"path": "/home/me/.."},
        {"path": "/"},
        {"path": None},
    ):
        assert post("create", **fields).json()["error_code"] == "INVALID_PARAMETER_VALUE", fields
    for path in ("mpu/create/..%2f..", "mpu/create/%252e%252e"):
        assert client.post(f"{PROXY}/{path}", json={"path": "x"}).status_code == 400
    assert gateway.uploads(bucket) == []
    told = client.get(f"{PROXY}/presigned/1/by/hand/file.bin").json()
    assert told["file_size"] == (5 << 20) + 3
    fetched = httpx.get(told["url"], headers={"range": "bytes=0-2"})
    assert (fetched.status_code, fetched.content) == (206, b"xxx")
    assert fetched.headers["content-disposition"] == "attachment; filename*=UTF-8''file.bin"
    assert client.get(f"{PROXY}/presigned/1/none").status_code == 404
    assert httpx.put(told["url"], content=b"y").status_code == 403


def test_mlflows_own_server_reads_through_web(shared: Platform, client: httpx.Client) -> None:
    """It has no keys, and no library for S3."""
    x = np.random.default_rng(3).normal(size=(50, 2))
    train("read through", x)
    found = client.get(
        "/model-versions/get-artifact", params={"name": "read through", "version": "1", "path": "MLmodel"}
    )
    assert "flavors" in found.text
    by_name = client.post(
        "/ajax-api/2.0/mlflow/upload-artifact",
        params={"run_uuid": mlflow.search_runs(output_format="list")[0].info.run_id, "path": "sent.txt"},
        content=b"sent",
    )
    assert by_name.status_code == 200, by_name.text
    run = mlflow.search_runs(output_format="list")[0].info.run_id
    assert client.get("/get-artifact", params={"run_id": run, "path": "sent.txt"}).text == "sent"


def test_no_secret_is_shown(shared: Platform, client: httpx.Client, gateway: Gateway, bucket: str) -> None:
    for file in shared.home.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file
    for command in ("config", "doctor"):
        done = subprocess.run(
            [sys.executable, "-m", "kedge.app.main", command, "--json"],
            capture_output=True,
            text=True,
            cwd=shared.home,
            env={**os.environ, **gateway.variables(bucket)},
        )
        assert SECRET not in done.stdout + done.stderr
        assert f"s3://{bucket}/kept/here" in done.stdout
    for name in ("web", "serving", "worker"):
        assert SECRET.encode() not in Path(f"/proc/{pid_of(shared, name)}/cmdline").read_bytes()


def test_a_wrong_secret_is_told_without_it(gateway: Gateway, bucket: str, tmp_path: Path) -> None:
    wrong = "wrong-geheim-secret"
    variables = {**gateway.variables(bucket), "AWS_SECRET_ACCESS_KEY": wrong}
    platform = start_platform(tmp_path / "home", **variables)
    try:
        with httpx.Client(base_url=platform.web, trust_env=False, timeout=60) as client:
            replies = [
                client.put(f"{PROXY}/artifacts/1/a", content=b"x"),
                client.get(f"{PROXY}/artifacts/1/a"),
                client.get(f"{PROXY}/artifacts", params={"path": "1"}),
                client.delete(f"{PROXY}/artifacts/1/a"),
                client.post(f"{PROXY}/mpu/create/1", json={"path": "a", "num_parts": 1}),
            ]
            for reply in replies:
                assert (reply.status_code, reply.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
                assert f"s3://{bucket}/kept/here" in reply.text
                assert wrong not in reply.text
            assert "does not belong to the access key" in replies[0].text
    finally:
        platform.stop()
    assert all(wrong.encode() not in file.read_bytes() for file in platform.home.rglob("*") if file.is_file())


def test_a_model_is_served_and_the_store_may_go_away(gateway: Gateway, tmp_path: Path) -> None:
    import kedge

    bucket = gateway.new_bucket()
    platform = start_platform(tmp_path / "home", **gateway.variables(bucket))
    stopped = False
    try:
        mlflow.set_tracking_uri(platform.web)
        x = np.random.default_rng(2).normal(size=(200, 3))
        mlflow.set_experiment("far")
        train("far", x)
        expected = mlflow.pyfunc.load_model("models:/far/1").predict(x)
        mlflow.MlflowClient().set_registered_model_alias("far", "champion", "1")
        with contextlib.closing(kedge.connect(platform.web)):
            kedge.deploy("far", model="far", alias="champion")

        def scored() -> bool:
            reply = httpx.post(
                f"{platform.serving}/endpoints/far/invocations", json={"inputs": x[:5].tolist()}
            )
            return reply.status_code == 200 and reply.json()["predictions"] == expected[:5].tolist()

        wait_until(scored, "the model answers")
        with mlflow.start_run() as run:
            mlflow.log_text("before", "a.txt")
        address = f"{platform.web}{PROXY}/artifacts/{root_of(run)}"
        gateway.stop()
        stopped = True
        for ask in (
            lambda: httpx.put(f"{address}/b.txt", content=b"b", timeout=60),
            lambda: httpx.get(f"{address}/a.txt", timeout=60),
            lambda: httpx.delete(f"{address}/a.txt", timeout=60),
        ):
            begun, reply = time.monotonic(), ask()
            assert (reply.status_code, reply.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
            assert "does not answer" in reply.text
            assert time.monotonic() - begun < 20
        # What was deployed goes on, also through a restart of serving.
        os.kill(pid_of(platform, "serving"), signal.SIGKILL)
        wait_until(lambda: answers(platform.serving + "/health") and scored(), "the copy answers")
        gateway.start()
        stopped = False
        assert httpx.put(f"{address}/b.txt", content=b"b", timeout=60).status_code == 200
        assert httpx.get(f"{address}/a.txt", timeout=60).text == "before"
        state = json.loads((platform.home / "state.json").read_bytes())
        assert state["children"]["web"]["restarts"] == 0
    finally:
        if stopped:
            gateway.start()
        platform.stop()


def test_a_kill_in_the_middle_of_an_upload_leaves_nothing_to_be_seen(
    gateway: Gateway, tmp_path: Path
) -> None:
    bucket = gateway.new_bucket()
    platform = start_platform(tmp_path / "home", **gateway.variables(bucket))
    try:
        half = threading.Event()

        def pieces() -> Iterator[bytes]:
            for number in range(200):
                if number == 40:
                    half.set()
                if number > 40:
                    time.sleep(0.05)
                yield bytes(1 << 20)

        def send() -> None:
            with pytest.raises(httpx.HTTPError):
                httpx.put(f"{platform.web}{PROXY}/artifacts/1/half.bin", content=pieces(), timeout=60)

        sender = threading.Thread(target=send)
        sender.start()
        assert half.wait(60)
        wait_until(lambda: gateway.uploads(bucket) != [], "parts arrive")
        os.kill(pid_of(platform, "web"), signal.SIGKILL)
        sender.join(60)
        wait_until(lambda: answers(platform.web + "/health"), "web is back")
        assert httpx.get(f"{platform.web}{PROXY}/artifacts", params={"path": "1"}).json() == {}
        assert httpx.get(f"{platform.web}{PROXY}/artifacts/1/half.bin").status_code == 404
        assert gateway.keys(bucket) == []
        # A client that goes away is noticed, and its parts are deleted.
        before = len(gateway.uploads(bucket))
        with httpx.Client(timeout=60) as client:

            def broken() -> Iterator[bytes]:
                yield from (bytes(1 << 20) for _ in range(60))
                raise OSError("gone")

            with pytest.raises(OSError, match="gone"):
                client.put(f"{platform.web}{PROXY}/artifacts/1/gone.bin", content=broken())
        wait_until(lambda: len(gateway.uploads(bucket)) == before, "the parts are deleted")
        assert gateway.keys(bucket) == []
    finally:
        platform.stop()
