"""Scenario x shape, in this process: what ends how, and that values are those of a plain call."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from tests.pipelines.conftest import Bench

from kedge.pipelines import driver

SHAPES = {
    "linear": {"a": [], "b": ["a"], "c": ["b"]},
    "diamond": {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]},
    "fan-out": {"a": [], **{f"f{n}": ["a"] for n in range(10)}},
}
SOURCE = """
    from pathlib import Path
    import kedge

    @kedge.step(retries=1)
    def work(name, ledger, fail, recover, needs):
        with Path(ledger).open("a") as file:
            file.write(name + "\\n")
        times = Path(ledger).read_text().split().count(name)
        if name in fail or (name in recover and times == 1):
            raise ValueError(f"{name} broke")
        return [name] + [each for need in needs for each in need]

    @kedge.pipeline
    def shaped(shape, ledger, fail=(), recover=()):
        done = {}
        for name, needs in shape.items():
            done[name] = work(name, ledger, fail, recover, [done[need] for need in needs])
        return done
"""


class Shaped:
    """One run of a shape."""

    def __init__(self, bench: Bench, shape: dict[str, list[str]], **params: Any) -> None:
        self.ledger = bench.folder / "ledger.txt"
        self.path = bench.write("shaped.py", SOURCE)
        self.run = bench.run(f"{self.path}:shaped", shape=shape, ledger=str(self.ledger), **params)
        steps = bench.services.pipelines.steps(self.run.id)
        self.steps = dict(zip(shape, steps, strict=True))
        self.states = {name: step.state for name, step in self.steps.items()}
        for name, needs in shape.items():  # what holds in every scenario
            assert self.states[name] in ("succeeded", "failed", "skipped")
            if self.states[name] != "skipped":
                assert all(self.states[need] == "succeeded" for need in needs)
                assert all(self.steps[need].ended_ms <= self.steps[name].started_ms for need in needs)

    def times(self, name: str) -> int:
        return self.ledger.read_text().split().count(name)


def plain(path: Path, **params: Any) -> Any:
    spec = importlib.util.spec_from_file_location("oracle", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.shaped(**params)


@pytest.fixture(params=SHAPES, name="shape")
def _shape(request: pytest.FixtureRequest) -> dict[str, list[str]]:
    return SHAPES[request.param]


def test_success_equals_a_plain_call(bench: Bench, shape: dict[str, list[str]]) -> None:
    done = Shaped(bench, shape)
    assert set(done.states.values()) == {"succeeded"}
    assert (done.run.state, done.run.error) == ("succeeded", None)
    assert done.run.result == plain(done.path, shape=shape, ledger=str(bench.folder / "other.txt"))
    assert done.run.started_ms <= done.run.ended_ms
    assert all(done.times(name) == 1 for name in shape)


def test_a_leaf_fails_and_all_others_finish(bench: Bench, shape: dict[str, list[str]]) -> None:
    leaf = list(shape)[-1]
    done = Shaped(bench, shape, fail=[leaf])
    assert done.states == {**dict.fromkeys(shape, "succeeded"), leaf: "failed"}
    assert done.run.state == "failed"
    assert done.run.error == f"step {done.steps[leaf].name!r} failed: ValueError: {leaf} broke"
    assert 'raise ValueError(f"{name} broke")' in done.steps[leaf].error
    assert "kedge/pipelines" not in done.steps[leaf].error
    assert (done.steps[leaf].attempt, done.times(leaf)) == (2, 2)


def test_a_middle_fails_and_what_stands_on_it_is_skipped(bench: Bench, shape: dict[str, list[str]]) -> None:
    middle = list(shape)[1]
    done = Shaped(bench, shape, fail=[middle])
    below = {name for name, needs in shape.items() if middle in needs}
    for name in shape:
        expected = "failed" if name == middle else "skipped" if name in below else "succeeded"
        assert done.states[name] == expected
    assert all(done.times(name) == 0 for name in below)
    assert done.run.result is None


def test_a_retry_helps(bench: Bench, shape: dict[str, list[str]]) -> None:
    first = next(iter(shape))
    done = Shaped(bench, shape, recover=[first])
    assert set(done.states.values()) == {"succeeded"}
    assert (done.steps[first].attempt, done.times(first), done.steps[first].error) == (2, 2, None)


@pytest.mark.parametrize(
    ("shape", "grow_after_s", "processes"), [("linear", 0, 1), ("fan-out", 0, 2), ("fan-out", 60, 1)]
)
def test_independent_steps_that_wait_get_a_second_process(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, shape: str, grow_after_s: float, processes: int
) -> None:
    monkeypatch.setattr(driver, "_GROW_AFTER_S", grow_after_s)
    Shaped(bench, SHAPES[shape])
    assert bench.inline.started == processes
