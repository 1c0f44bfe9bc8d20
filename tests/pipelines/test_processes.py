"""Runs in real step processes: death, timeouts, cancelling, large and odd outputs, logs, and taking up a run again."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from tests.conftest import wait_until
from tests.pipelines.conftest import Bench

from kedge.core.pipelines import PipelineRun
from kedge.pipelines.record import Stopped
from kedge.pipelines.submit import cancel_run

pytestmark = pytest.mark.acceptance

SOURCE = """
    import os, signal, subprocess, sys, time
    from pathlib import Path
    import kedge

    @kedge.step
    def quick(x):
        return x

    @kedge.step(retries=1)
    def killed(x):
        os.kill(os.getpid(), signal.SIGKILL)

    @kedge.step
    def exits(x):
        print("so far", end="")
        os._exit(3)

    @kedge.step(timeout_s=0.3)
    def slow(pids):
        child = subprocess.Popen(["sleep", "600"])
        Path(pids).write_text(f"{os.getpid()} {child.pid}")
        time.sleep(600)

    @kedge.step
    def waits(pids):
        print("waiting", flush=True)
        slow.function(pids)

    @kedge.step
    def odd(x):
        return (n for n in range(x))

    @kedge.step
    def large(megabytes):
        return "x" * (megabytes << 20)

    @kedge.step
    def length(text):
        return len(text)

    @kedge.step
    def prints():
        print("from print")
        print("to stderr", file=sys.stderr)
        subprocess.run(["echo", "from a child"], check=True)
        os.write(1, b"from below\\n")
        raise LookupError("the end")

    @kedge.step
    def leaves_traces():
        os.chdir("/")
        os.environ["LEFT"] = "behind"
        return os.environ["KEDGE_STEP"]

    @kedge.step
    def finds_traces(before):
        return [os.getcwd(), os.environ.get("LEFT"), os.environ["KEDGE_STEP"], os.environ["MLFLOW_RUN_CONTEXT"]]

    @kedge.step(retries=1, timeout_s=0.3)
    def stalls_once(marker):
        if not Path(marker).exists():
            Path(marker).touch()
            time.sleep(600)
        return "done"

    @kedge.step
    def chained(x):
        try:
            {}["key"]
        except KeyError as error:
            raise RuntimeError("cannot do it: \\udc80") from error

    @kedge.step
    def spoils_streams(how):
        if how == "close":
            sys.stdout.close()
            sys.stderr.close()
        elif how == "replace":
            sys.stdout = open(os.devnull, "w")
        elif how == "remove":
            sys.stdout = sys.stderr = None
        elif how == "close below":
            os.close(1)
            os.close(2)
        else:
            sys.stderr.close()
            raise LookupError("the end\\n\\nsee https://example.org")

    @kedge.step
    def says(*_):
        print("heard")
        return "said"

    @kedge.pipeline
    def spoiling(how):
        return [spoils_streams(how), says.after(spoils_streams("replace"))()]

    @kedge.pipeline
    def stalling(marker):
        return stalls_once(marker)

    @kedge.pipeline
    def chaining():
        return chained(1)

    @kedge.pipeline
    def kills(x):
        return [quick(killed(quick(x))), quick(7)]

    @kedge.pipeline
    def exiting():
        return exits(1)

    @kedge.pipeline
    def too_slow(pids):
        return slow(pids)

    @kedge.pipeline
    def waiting(pids):
        return waits(pids)

    @kedge.pipeline
    def oddly():
        return odd(3)

    @kedge.pipeline
    def heavy(megabytes):
        big = large(megabytes)
        return {"big": big, "length": length(big)}

    @kedge.pipeline
    def printing():
        return prints()

    @kedge.pipeline
    def tidy():
        return finds_traces(leaves_traces())
"""


@pytest.fixture
def entry(bench: Bench) -> Callable[[str], str]:
    path = bench.write("odd_ones.py", SOURCE)
    return lambda name: f"{path}:{name}"


def dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def pids_in(file: Path) -> list[int]:
    wait_until(lambda: file.exists() and len(file.read_text().split()) == 2, "the step runs")
    return [int(word) for word in file.read_text().split()]


def test_a_killed_step_is_tried_again_and_said_to_be_killed(bench: Bench, entry) -> None:
    run = bench.run(entry("kills"), bench.local(1), x=1)
    steps = bench.steps(run)
    assert {name: step.state for name, step in steps.items()} == {
        "quick": "succeeded", "killed": "failed", "quick-2": "skipped", "quick-3": "succeeded",
    }  # fmt: skip
    assert steps["killed"].attempt == 2
    assert "killed (signal 9), probably because the machine ran out of memory" in steps["killed"].error
    assert run.state == "failed"
    assert "step 'killed'" in run.error


def test_a_process_that_exits_is_a_failed_step(bench: Bench, entry) -> None:
    run = bench.run(entry("exiting"), bench.local())
    assert (run.state, run.error) == (
        "failed",
        "step 'exits' failed: step 'exits': its process ended with code 3",
    )
    assert bench.log(bench.steps(run)["exits"]) == "so far"


def test_a_step_over_its_time_is_ended_with_all_that_it_started(bench: Bench, entry, tmp_path: Path) -> None:
    run = bench.run(entry("too_slow"), bench.local(), pids=str(tmp_path / "pids"))
    assert bench.steps(run)["slow"].error == "step 'slow': stopped after its timeout of 0.3 s"
    assert all(dead(pid) for pid in pids_in(tmp_path / "pids"))


def test_cancelling_ends_the_processes_and_no_late_word_is_written(
    bench: Bench, entry, tmp_path: Path
) -> None:
    submitted = bench.submit(entry("waiting"), pids=str(tmp_path / "pids"))
    driver = bench.driver(bench.claim(), bench.local())
    ended: list[BaseException] = []

    def drive() -> None:
        try:
            driver.drive()
        except Stopped as error:
            ended.append(error)

    thread = threading.Thread(target=drive)
    thread.start()
    pids = pids_in(tmp_path / "pids")
    live = bench.logs(submitted.id) / "waits.log"
    wait_until(
        lambda: live.exists() and live.read_text() == "waiting\n", "the log can be read while the step runs"
    )
    assert cancel_run(bench.services, submitted.id).state == "cancelled"
    thread.join(10)
    assert len(ended) == 1
    wait_until(lambda: all(dead(pid) for pid in pids), "no process is left", 5)
    run = bench.services.pipelines.get_run(submitted.id)
    assert (run.state, bench.states(run)) == ("cancelled", {"waits": "cancelled"})


def test_an_output_that_cannot_be_stored_names_its_step(bench: Bench, entry) -> None:
    run = bench.run(entry("oddly"), bench.local())
    assert "step 'odd' returned a generator, which cannot be stored" in run.error


def test_large_outputs_pass_and_stay_out_of_the_run(bench: Bench, entry) -> None:
    run = bench.run(entry("heavy"), bench.local(), megabytes=8)
    assert run.result["length"] == 8 << 20
    assert len(run.result["big"]) == 200
    assert bench.steps(run)["large"].output.size_bytes == (8 << 20) + 2


def test_everything_printed_is_kept_in_order(bench: Bench, entry) -> None:
    run = bench.run(entry("printing"), bench.local())
    step = bench.steps(run)["prints"]
    printed = bench.log(step).splitlines()
    assert printed[:4] == ["from print", "to stderr", "from a child", "from below"]
    assert printed[-1] == "LookupError: the end"
    assert run.error == "step 'prints' failed: LookupError: the end"


def test_a_step_leaves_no_trace_for_the_next(bench: Bench, entry) -> None:
    run = bench.run(entry("tidy"), bench.local())
    folder, left, name, context = run.result
    assert (folder, left, name) == (str(bench.folder), None, "finds_traces")
    assert f'"kedge.pipeline_run": "{run.id}"' in context
    assert f'"kedge.code": "{run.code_id}"' in context


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nowhere_to_be_found\n", "No module named 'nowhere_to_be_found'"),
        ("def broken(:\n", "SyntaxError"),
        ("import os\nos._exit(9)\n", "ended with code 9 while the pipeline was loaded"),
        ("x = 1\n", "there is no 'p'"),
        ("def p():\n    return 1\n", "it is not a pipeline"),
    ],
)
def test_what_cannot_be_loaded_fails_the_run_and_says_why(bench: Bench, source: str, said: str) -> None:
    path = bench.write("bad.py", source)
    run = bench.run(f"{path}:p", bench.local())
    assert run.state == "failed"
    assert said in run.error
    assert bench.steps(run) == {}


RESUMED = """
    import time
    from pathlib import Path
    import kedge

    @kedge.step
    def first(ledger):
        with Path(ledger).open("a") as file:
            file.write("first ")
        return 1

    @kedge.step
    def second(ledger, one):
        with Path(ledger).open("a") as file:
            file.write("second ")
        while not Path(ledger).with_name("go").exists():
            time.sleep(0.01)
        return one + 1

    @kedge.pipeline
    def resumed(ledger):
        return second(ledger, first(ledger))
"""


def interrupted(bench: Bench, path: Path, ledger: Path) -> PipelineRun:
    """A run whose worker stopped in the second step."""
    submitted = bench.submit(f"{path}:resumed", ledger=str(ledger))
    job = bench.claim()
    with pytest.raises(Stopped):
        bench.driver(
            job, bench.local(), mine=lambda: not (ledger.exists() and "second" in ledger.read_text())
        ).drive()
    assert bench.services.jobs.release(job)
    run = bench.services.pipelines.get_run(submitted.id)
    assert (run.state, bench.states(run)) == ("queued", {"first": "succeeded", "second": "pending"})
    return run


def test_a_run_goes_on_where_it_was_left(bench: Bench, tmp_path: Path) -> None:
    ledger, path = tmp_path / "ledger", bench.write("resumed.py", RESUMED)
    run = interrupted(bench, path, ledger)
    (tmp_path / "go").touch()
    ended = bench.driver(bench.claim(), bench.local()).drive()
    assert (ended.id, ended.state, ended.result) == (run.id, "succeeded", 2)
    assert ledger.read_text().split() == ["first", "second", "second"]
    assert {name: step.attempt for name, step in bench.steps(ended).items()} == {"first": 1, "second": 2}


def test_a_run_whose_code_changed_meanwhile_begins_again(bench: Bench, tmp_path: Path) -> None:
    ledger, path = tmp_path / "ledger", bench.write("resumed.py", RESUMED)
    run = interrupted(bench, path, ledger)
    bench.write("resumed.py", RESUMED.replace("return 1\n", "return 5\n"))
    (tmp_path / "go").touch()
    ended = bench.driver(bench.claim(), bench.local()).drive()
    assert (ended.state, ended.result) == ("succeeded", 6)
    assert ended.code_id != run.code_id


def test_a_worker_that_lost_its_lease_writes_nothing(bench: Bench, tmp_path: Path) -> None:
    path = bench.write("resumed.py", RESUMED)
    ledger = tmp_path / "ledger"
    submitted = bench.submit(f"{path}:resumed", ledger=str(ledger))
    (tmp_path / "go").touch()
    late = bench.driver(bench.claim(lease_ms=-1), bench.local(), mine=lambda: True)
    current = bench.driver(bench.claim(), bench.local())
    with pytest.raises(Stopped):
        late.drive()
    assert bench.services.pipelines.get_run(submitted.id).state == "queued"
    assert current.drive().state == "succeeded"
    assert ledger.read_text().split() == ["first", "second"]


def test_a_process_killed_while_idle_costs_nothing(bench: Bench, tmp_path: Path) -> None:
    engine = bench.local(1)
    process = engine.start({"KEDGE_PIPELINE_RUN": "r"})
    os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    answers = []
    while not answers and time.monotonic() < deadline:
        answers = engine.wait([process], 0.1)
    assert [(answer.message, "signal 9" in answer.died) for answer in answers] == [(None, True)]
    process.kill()
    process.kill()


PARALLEL = """
    import os, time
    from pathlib import Path
    import kedge

    @kedge.step
    def meets(folder, n):
        place = Path(folder)
        (place / str(n)).touch()
        while not all((place / str(other)).exists() for other in (1, 2)):
            time.sleep(0.01)
        return os.getpid()

    @kedge.pipeline
    def meeting(folder):
        return [meets(folder, 1), meets(folder, 2)]
"""


def test_independent_steps_run_side_by_side(bench: Bench, tmp_path: Path) -> None:
    """Each of the two ends only when the other has begun."""
    path = bench.write("meeting.py", PARALLEL)
    run = bench.run(f"{path}:meeting", bench.local(2), folder=str(tmp_path))
    assert run.state == "succeeded"
    assert len(set(run.result)) == 2


def test_a_second_process_with_other_code_is_not_used(bench: Bench, tmp_path: Path) -> None:
    """The file is edited while the first step runs: the rest runs in the process that has the old code."""
    source = PARALLEL.replace("for other in (1, 2)", "for other in (1,)").replace(
        "(place / str(n)).touch()",
        "(place / str(n)).touch(); file = Path(__file__); file.write_text(file.read_text() + '#'); time.sleep(1.5)",
    )
    path = bench.write("meeting.py", source)
    run = bench.run(f"{path}:meeting", bench.local(2), folder=str(tmp_path))
    assert run.state == "succeeded"
    assert len(set(run.result)) == 1
    kept = bench.services.pipelines.get_code(run.code_id).files["meeting.py"]
    assert bench.services.objects.path(kept).read_text() == dedent(source)


def test_a_step_that_ran_out_of_time_is_tried_again(bench: Bench, entry, tmp_path: Path) -> None:
    run = bench.run(entry("stalling"), bench.local(1), marker=str(tmp_path / "marker"))
    assert (run.state, run.result, bench.steps(run)["stalls_once"].attempt) == ("succeeded", "done", 2)


def test_an_error_tells_its_cause_and_need_not_be_proper_text(bench: Bench, entry) -> None:
    run = bench.run(entry("chaining"), bench.local(1))
    error = bench.steps(run)["chained"].error
    assert run.error == r"step 'chained' failed: RuntimeError: cannot do it: \udc80"
    assert error.index("KeyError: 'key'") < error.index("direct cause") < error.index("RuntimeError")
    assert "host.py" not in error


@pytest.mark.parametrize("how", ["close", "replace", "remove", "close below"])
def test_a_step_that_spoils_its_streams_takes_nothing_from_the_next(bench: Bench, entry, how: str) -> None:
    run = bench.run(entry("spoiling"), bench.local(1), how=how)
    assert (run.state, run.result) == ("succeeded", [None, "said"])
    assert bench.log(bench.steps(run)["says"]) == "heard\n"


def test_an_error_of_many_lines_is_named_by_its_first(bench: Bench, entry) -> None:
    run = bench.run(entry("spoiling"), bench.local(1), how="fail")
    assert run.error == "step 'spoils_streams' failed: LookupError: the end"
    assert bench.states(run)["says"] == "succeeded"
    assert bench.steps(run)["spoils_streams"].error.endswith("the end\n\nsee https://example.org")
