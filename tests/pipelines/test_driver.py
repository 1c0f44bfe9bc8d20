"""Runs driven with real step processes on a real data directory."""

import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kedge.app.config import environment
from kedge.app.wiring import open_services
from kedge.core.clock import SystemClock
from kedge.core.pipelines import PipelineRun
from kedge.core.services import Addresses, Services
from kedge.engines.processes import LocalEngine
from kedge.pipelines.driver import Driver
from kedge.pipelines.record import Stopped
from kedge.pipelines.submit import submit_run

pytestmark = pytest.mark.slow

SOURCE = """
import os, pathlib, subprocess, sys, time
import kedge

HERE = pathlib.Path(__file__).parent

def helper(x):
    return x + 1

@kedge.step(cache=True)
def first(n):
    print("working on", n)
    with (HERE / "calls").open("a") as calls:
        calls.write("first\\n")
    return helper(n)

@kedge.step
def second(x):
    with (HERE / "calls").open("a") as calls:
        calls.write("second\\n")
    return [x, x]

@kedge.step
def broken(x):
    raise ValueError(f"no {x}")

@kedge.step(retries=2)
def flaky(x):
    tries = HERE / "tries"
    count = int(tries.read_text()) + 1 if tries.exists() else 1
    tries.write_text(str(count))
    if count < 3:
        raise RuntimeError("not yet")
    return count

@kedge.step(timeout_s=0.5)
def slow(x):
    time.sleep(60)

@kedge.step
def killed(x):
    os.kill(os.getpid(), 9)

@kedge.step
def leaver(x):
    sys.exit(3)

@kedge.step
def spawns(x):
    child = subprocess.Popen(["sleep", "600"])
    (HERE / "child").write_text(str(child.pid))
    time.sleep(60)

@kedge.step
def waits(x):
    while not (HERE / "go").exists():
        time.sleep(0.02)
    return x

@kedge.step
def unstorable(x):
    return (i for i in [1])

@kedge.step
def environment(x):
    return {name: os.environ.get(name, "") for name in ("KEDGE_STEP", "KEDGE_PIPELINE_RUN", "MLFLOW_RUN_CONTEXT")}

@kedge.pipeline
def good(n: int = 1):
    return {"out": second(first(n))}

@kedge.pipeline
def half(n: int = 1):
    x = first(n)
    y = broken(x)
    return [second(y), second(x)]

@kedge.pipeline
def one(name: str):
    return globals()[name](1)

@kedge.pipeline
def resumed():
    return second(waits(first(1)))

@kedge.pipeline
def wide(n: int = 6):
    return [second(i) for i in range(n)]
"""


class Bench:
    """A data directory with a project; runs pipelines to their end in this process."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.project.mkdir()
        self.write(SOURCE)
        addresses = Addresses(web="http://127.0.0.1:9", serving="http://127.0.0.1:9")
        self.services, self._database = open_services(folder / "home", addresses, SystemClock())
        self.engine = LocalEngine(
            "kedge.app.step_main", ["--home", str(self.services.home)], environment(), 2
        )

    def write(self, source: str) -> None:
        (self.project / "flow.py").write_text(textwrap.dedent(source))

    def submit(self, function: str, **params: object) -> PipelineRun:
        entry = f"{self.project / 'flow.py'}:{function}"
        return submit_run(
            self.services,
            entry=entry,
            project=str(self.project),
            pipeline=function,
            params=params,
            trigger="manual",
        )

    def drive(self, run: PipelineRun, mine: Callable[[], bool] = lambda: True) -> PipelineRun:
        logs = self.services.home / "logs" / "runs" / run.id
        job = self.services.jobs.claim("test", kinds=("pipeline",), lease_ms=60_000)
        assert job is not None
        assert job.id == run.job_id
        try:
            return Driver(self.services, self.engine, run, job=job, log_folder=logs, mine=mine).drive()
        except Stopped:
            assert self.services.jobs.release(job)
            raise

    def run(self, function: str, **params: object) -> PipelineRun:
        return self.drive(self.submit(function, **params))

    def steps(self, run: PipelineRun) -> dict[str, object]:
        return {step.name: step for step in self.services.pipelines.steps(run.id)}

    def calls(self) -> list[str]:
        file = self.project / "calls"
        return file.read_text().split() if file.exists() else []


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def text_of(services: Services, object_id: str) -> str:
    return services.objects.path(object_id).read_text()


def test_a_run_succeeds_with_its_result_log_and_code(bench: Bench) -> None:
    run = bench.run("good", n=4)
    assert (run.state, run.result, run.error) == ("succeeded", {"out": [5, 5]}, None)
    steps = bench.steps(run)
    assert [step.state for step in steps.values()] == ["succeeded", "succeeded"]
    assert steps["first"].cache_note == "never run before"
    assert text_of(bench.services, steps["first"].log_object) == "working on 4\n"
    code = bench.services.pipelines.get_code(run.code_id)
    assert text_of(bench.services, code.files["flow.py"]) == (bench.project / "flow.py").read_text()


def test_the_second_run_takes_what_it_can_from_the_cache(bench: Bench) -> None:
    before = bench.run("good", n=1)
    again = bench.run("good", n=1)
    assert bench.steps(again)["first"].state == "cached"
    assert bench.steps(again)["first"].cache_note == f"hit from run {before.id}"
    assert again.result == before.result
    assert bench.calls() == ["first", "second", "second"]
    other = bench.run("good", n=2)
    assert bench.steps(other)["first"].cache_note == "input n changed"
    bench.write(SOURCE.replace("return x + 1", "return x + 10"))
    changed = bench.run("good", n=1)
    assert bench.steps(changed)["first"].cache_note == "code of flow.helper changed, input n changed"
    assert changed.result == {"out": [11, 11]}


def test_a_failing_step_skips_what_needs_it_and_no_more(bench: Bench) -> None:
    run = bench.run("half")
    assert run.state == "failed"
    assert run.error == "step 'broken' failed: ValueError: no 2"
    states = {name: step.state for name, step in bench.steps(run).items()}
    assert states == {"first": "succeeded", "broken": "failed", "second": "skipped", "second-2": "succeeded"}
    error = bench.steps(run)["broken"].error
    assert error.startswith("Traceback")
    assert 'raise ValueError(f"no {x}")' in error
    assert "host.py" not in error


def test_a_flaky_step_is_tried_again(bench: Bench) -> None:
    run = bench.run("one", name="flaky")
    assert (run.state, run.result) == ("succeeded", 3)
    assert bench.steps(run)["flaky"].attempt == 3


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("slow", "timeout of 0.5 s"),
        ("killed", "killed (signal 9), probably because the machine ran out of memory"),
        ("leaver", "SystemExit: 3"),
        ("unstorable", "step 'unstorable' returned a generator"),
    ],
)
def test_ends_that_are_no_exceptions_are_told(bench: Bench, name: str, words: str) -> None:
    begun = time.monotonic()
    run = bench.run("one", name=name)
    assert run.state == "failed"
    assert words in bench.steps(run)[name].error
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import nothing_like_this\n", "nothing_like_this"),
        ("x = (\n", "SyntaxError"),
        ("import os\nos._exit(7)\n", "code 7"),
    ],
)
def test_code_that_does_not_load_fails_the_run(bench: Bench, source: str, words: str) -> None:
    bench.write(source)
    run = bench.run("good")
    assert run.state == "failed"
    assert words in run.error


def test_a_step_knows_where_it_runs(bench: Bench) -> None:
    run = bench.run("one", name="environment")
    assert run.result["KEDGE_STEP"] == "environment"
    assert run.result["KEDGE_PIPELINE_RUN"] == run.id
    assert run.id in run.result["MLFLOW_RUN_CONTEXT"]


def test_independent_steps_run_beside_each_other(bench: Bench) -> None:
    run = bench.run("wide", n=6)
    assert run.result == [[i, i] for i in range(6)]


def test_what_was_interrupted_goes_on_where_it_was(bench: Bench) -> None:
    """The worker lost its lease while `waits` ran; the next one does not run `first` again."""
    run = bench.submit("resumed")

    def until_waiting() -> bool:
        steps = bench.steps(run)
        return not ("waits" in steps and steps["waits"].state == "running")

    with pytest.raises(Stopped):
        bench.drive(run, until_waiting)
    assert bench.calls() == ["first"]
    (bench.project / "go").touch()
    ended = bench.drive(bench.services.pipelines.get_run(run.id))
    assert (ended.state, ended.result) == ("succeeded", [2, 2])
    assert bench.calls() == ["first", "second"]


def test_stopping_a_run_leaves_no_process(bench: Bench) -> None:
    run = bench.submit("one", name="spawns")

    def until_spawned() -> bool:
        return not (bench.project / "child").exists() or not (bench.project / "child").read_text()

    with pytest.raises(Stopped):
        bench.drive(run, until_spawned)
    pid = int((bench.project / "child").read_text())
    deadline = time.monotonic() + 5
    while (
        Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    ):
        assert time.monotonic() < deadline, "the step's own child is still there"
        time.sleep(0.02)
