"""`kedge up` as a user has it: real processes, real signals."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from tests.conftest import KEDGE, Platform, answers, free_ports, start_platform, wait_until

pytestmark = pytest.mark.acceptance

WEB_LIMIT_MIB = 150
STOP_LIMIT_S = 3.0


def processes_of(home: Path) -> dict[int, str]:
    """Every process that has the data directory on its command line, the test's own aside."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if str(home) in command and state != "Z":
                found[int(folder.name)] = command
    return found


def run(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*KEDGE, *arguments], capture_output=True, text=True, cwd=cwd, timeout=60)


def wake_mlflow(platform: Platform) -> None:
    """Have the sidecar started, as the first request does that only MLflow's own server answers."""
    with urllib.request.urlopen(f"{platform.web}/mlflow/", timeout=90) as reply:
        assert b"<title>MLflow</title>" in reply.read()


def resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise AssertionError(pid)


def child(platform: Platform, name: str) -> int:
    return int(json.loads((platform.home / "state.json").read_bytes())["children"][name]["pid"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything(tmp_path: Path, number: signal.Signals) -> None:
    platform = start_platform(tmp_path / "home")
    try:
        wake_mlflow(platform)
        assert any("mlflow_main" in command for command in processes_of(platform.home).values())
    finally:
        begun = time.monotonic()
        platform.process.send_signal(number)
        platform.process.wait(20)
    took_s = time.monotonic() - begun
    assert processes_of(platform.home) == {}
    assert took_s < STOP_LIMIT_S
    assert platform.process.returncode == 0
    assert not (platform.home / "state.json").exists()


def test_killing_the_supervisor_leaves_nothing(tmp_path: Path) -> None:
    platform = start_platform(tmp_path / "home")
    wake_mlflow(platform)
    platform.process.kill()
    platform.process.wait()
    wait_until(lambda: not processes_of(platform.home), "every child is gone", 10)
    again = start_platform(tmp_path / "home")  # the lock went with the holder
    again.stop()


@pytest.mark.parametrize("after_s", [0.0, 0.15, 0.4])
def test_killing_the_supervisor_while_it_starts_leaves_nothing(tmp_path: Path, after_s: float) -> None:
    """Children that are still importing have not yet asked to end with it."""
    home = tmp_path / "home"
    web, serving = free_ports(2)
    ports = ["--port", str(web), "--serving-port", str(serving)]
    process = subprocess.Popen([*KEDGE, "up", "--home", str(home), *ports], stdout=subprocess.DEVNULL)
    wait_until((home / "state.json").exists, "its children are started")
    time.sleep(after_s)
    process.kill()
    process.wait()
    wait_until(lambda: not processes_of(home), "every child is gone", 20)


def test_a_proxy_for_other_addresses_is_not_asked_for_ours(tmp_path: Path) -> None:
    platform = start_platform(
        tmp_path / "home", http_proxy="http://127.0.0.1:9", HTTP_PROXY="http://127.0.0.1:9"
    )
    platform.stop()


def test_one_port_cannot_serve_two(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    done = run(
        "up", "--home", str(tmp_path / "home"), "--port", str(port), "--serving-port", str(port), cwd=tmp_path
    )
    assert done.returncode == 1
    assert f"port and serving_port are both {port}" in done.stderr


def test_a_demo_moves_no_other_data_aside(platform: Platform) -> None:
    done = run("demo", "--again", "--home", str(platform.home), cwd=platform.home.parent)
    assert done.returncode == 1
    assert f"in use by process {platform.process.pid}" in done.stderr
    platform.stop()
    done = run("demo", "--again", "--home", str(platform.home), cwd=platform.home.parent)
    assert done.returncode == 1
    assert "is not a demo's" in done.stderr
    assert (platform.home / "kedge.db").exists()


def test_a_killed_child_is_started_again_and_shown(platform: Platform) -> None:
    pid = child(platform, "web")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: child_changed(platform, "web", pid), "web is started again")
    wait_until(lambda: answers(platform.web + "/health"), "web answers again")
    done = run("status", "--home", str(platform.home), "--json", cwd=platform.home.parent)
    status = json.loads(done.stdout)
    assert done.returncode == 0
    assert status["children"]["web"]["restarts"] == 1
    assert status["children"]["web"]["last_exit"] == "signal 9"


def child_changed(platform: Platform, name: str, old: int) -> bool:
    try:
        pid = json.loads((platform.home / "state.json").read_bytes())["children"][name]["pid"]
    except (OSError, ValueError):
        return False
    return pid is not None and pid != old


def test_a_second_up_is_refused_with_the_pid(platform: Platform) -> None:
    web, serving = free_ports(2)
    ports = ["--port", str(web), "--serving-port", str(serving)]
    done = run("up", "--home", str(platform.home), *ports, cwd=platform.home.parent)
    assert done.returncode == 1
    assert f"process {platform.process.pid}" in done.stderr
    assert answers(platform.web + "/health")


def test_a_taken_port_is_named(platform: Platform, tmp_path: Path) -> None:
    port = platform.web.rpartition(":")[2]
    done = run("up", "--home", str(tmp_path / "other"), "--port", port, cwd=tmp_path)
    assert done.returncode == 1
    assert f"port {port} on 127.0.0.1 cannot be used" in done.stderr
    assert "--port" in done.stderr
    assert not (tmp_path / "other" / "kedge.db").exists()


def test_a_home_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    done = run("up", "--home", str(tmp_path / "file" / "home"), cwd=tmp_path)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_data_of_a_newer_version_is_refused_unchanged(tmp_path: Path) -> None:
    platform = start_platform(tmp_path / "home")
    platform.stop()
    import sqlite3

    with sqlite3.connect(platform.home / "kedge.db") as connection:
        connection.execute("INSERT INTO kedge_migration VALUES (999, 0)")
    connection.close()
    web, serving = free_ports(2)
    ports = ["--port", str(web), "--serving-port", str(serving)]
    done = run("up", "--home", str(platform.home), *ports, cwd=tmp_path)
    assert done.returncode == 1
    assert "schema 999" in done.stderr
    assert "newer Kedge" in done.stderr


def test_status_of_what_is_not_up(tmp_path: Path) -> None:
    done = run("status", "--home", str(tmp_path / "none"), cwd=tmp_path)
    assert done.returncode == 1
    assert "kedge up --home" in done.stdout


def test_doctor_says_what_is_wrong_and_how_to_mend_it(platform: Platform, tmp_path: Path) -> None:
    well = run("doctor", "--home", str(platform.home), "--json", cwd=tmp_path)
    assert well.returncode == 0, well.stdout
    checks = {finding["check"]: finding for finding in json.loads(well.stdout)}
    assert {"python", "disk", "database", "clock", "mlflow", "web", "serving"} <= set(checks)
    port = platform.web.rpartition(":")[2]
    bad = run("doctor", "--home", str(tmp_path / "new"), "--port", port, "--json", cwd=tmp_path)
    assert bad.returncode == 1
    wrong = [finding for finding in json.loads(bad.stdout) if finding["well"] is False]
    assert [finding["check"] for finding in wrong] == ["port"]
    assert wrong[0]["mend"]


def test_web_is_small_and_imports_nothing_heavy(platform: Platform) -> None:
    for path in ("/", "/runs", "/models", "/datasets", "/pipelines", "/endpoints", "/monitors", "/alerts"):
        assert answers(platform.web + path), path
    pid = child(platform, "web")
    assert resident_mib(pid) < WEB_LIMIT_MIB
    mapped = Path(f"/proc/{pid}/maps").read_text()
    for library in ("numpy", "pandas", "pyarrow", "scipy", "sklearn"):
        assert f"/{library}/" not in mapped, library


def test_the_web_modules_import_nothing_heavy() -> None:
    code = (
        "import sys, kedge.app.web_main\n"
        "heavy = {'numpy', 'pandas', 'pyarrow', 'scipy', 'sklearn', 'mlflow', 'numba'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/kedge/v1/datasets/none", 404),
        ("GET", "/api/kedge/v1/nothing", 404),
        ("DELETE", "/api/kedge/v1/datasets", 405),
        ("POST", "/api/kedge/v1/pipeline-runs", 422),
        ("GET", "/api/2.0/mlflow-artifacts/artifacts/..%2f..%2fkedge.db", 400),
    ],
)
def test_errors_have_one_shape(platform: Platform, method: str, path: str, status: int) -> None:
    body = b"{" if method == "POST" else None
    request = urllib.request.Request(platform.web + path, body, method=method)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=20)
    assert caught.value.code == status
    answer = json.load(caught.value)
    assert "error" in answer or "error_code" in answer
    if "error" in answer:
        assert set(answer["error"]) == {"code", "message", "hint"}


def test_help_of_every_command_has_an_example(tmp_path: Path) -> None:
    listed = run("--help", cwd=tmp_path).stdout
    for name in ("up", "demo", "status", "doctor", "config", "run", "data", "deploy", "monitor", "drift"):
        assert name in listed
    for command in (
        ["up"],
        ["demo"],
        ["status"],
        ["doctor"],
        ["config"],
        ["run"],
        ["data", "add"],
        ["deploy"],
        ["predict"],
    ):
        text = run(*command, "--help", cwd=tmp_path).stdout
        assert "Example:" in text, command


def test_a_failing_step_is_told_and_exits_1(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(
        "import kedge\n\n@kedge.step\ndef divide(n):\n    return 1 / n\n\n@kedge.pipeline\ndef flow(n: int = 0):\n    return divide(n)\n"
    )
    environment = {**os.environ, "KEDGE_URL": platform.web}
    command = [*KEDGE, "run", "broken.py:flow"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=90)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "broken.py" in done.stderr
    good = subprocess.run(
        [*command, "-p", "n=4", "--json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        timeout=90,
    )
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["run"]["result"] == 0.25


RESUMED = """
import pathlib, time
import kedge

HERE = pathlib.Path(__file__).parent

@kedge.step
def first():
    with (HERE / "calls").open("a") as calls:
        calls.write("first ")
    return 1

@kedge.step
def waits(x):
    (HERE / "waiting").touch()
    while not (HERE / "go").exists():
        time.sleep(0.05)
    return x + 1

@kedge.pipeline
def flow():
    return waits(first())
"""


def test_a_run_survives_the_worker_that_ran_it(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "resumed.py").write_text(RESUMED)
    environment = {**os.environ, "KEDGE_URL": platform.web}
    command = [*KEDGE, "run", "resumed.py:flow", "--json"]
    following = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment)
    wait_until(lambda: (tmp_path / "waiting").exists(), "the second step runs")
    worker = child(platform, "worker")
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: child_changed(platform, "worker", worker), "the worker is started again")
    steps = [pid for pid, command in processes_of(platform.home).items() if "step_main" in command]
    wait_until(
        lambda: not set(steps) & set(processes_of(platform.home)), "the dead worker's steps are gone", 10
    )
    (tmp_path / "go").touch()
    out, _ = following.communicate(timeout=60)  # the lease of the dead worker runs out after 15 s
    assert following.returncode == 0
    assert json.loads(out)["run"]["result"] == 2
    assert (tmp_path / "calls").read_text() == "first "
