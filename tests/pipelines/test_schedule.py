"""The scheduler alone: from states to decisions."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kedge.pipelines.schedule import decide

DIAMOND = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}


def test_only_what_has_all_it_needs_may_start() -> None:
    decision = decide(DIAMOND, dict.fromkeys(DIAMOND, "pending"), 4)
    assert (decision.start, decision.skip, decision.finished) == (("a",), (), False)
    decision = decide(DIAMOND, {"a": "succeeded", "b": "pending", "c": "pending", "d": "pending"}, 4)
    assert decision.start == ("b", "c")
    decision = decide(DIAMOND, {"a": "cached", "b": "running", "c": "pending", "d": "pending"}, 1)
    assert decision.start == ()


def test_what_stands_on_a_failure_is_skipped_and_siblings_go_on() -> None:
    decision = decide(DIAMOND, {"a": "succeeded", "b": "failed", "c": "pending", "d": "pending"}, 1)
    assert (decision.skip, decision.start, decision.finished) == (("d",), ("c",), False)
    decision = decide(DIAMOND, {"a": "failed", "b": "pending", "c": "pending", "d": "pending"}, 1)
    assert (decision.skip, decision.finished) == (("b", "c", "d"), True)


def test_an_empty_graph_is_finished() -> None:
    assert decide({}, {}, 1).finished


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    count = draw(st.integers(1, 12))
    return {
        f"s{n}": sorted({f"s{m}" for m in draw(st.lists(st.integers(0, n - 1), max_size=3))} if n else set())
        for n in range(count)
    }


@settings(deadline=None, max_examples=150)
@given(graphs(), st.integers(1, 4), st.sets(st.integers(0, 11)), st.randoms(use_true_random=False))
def test_every_graph_ends_with_every_step_in_one_end_state(graph, capacity, failing, random) -> None:
    states = dict.fromkeys(graph, "pending")
    for _ in range(3 * len(graph) + 1):
        decision = decide(graph, states, capacity)
        for name in decision.skip:
            states[name] = "skipped"
        if decision.finished:
            break
        for name in decision.start:
            assert all(states[need] == "succeeded" for need in graph[name])
            states[name] = "running"
        running = [name for name, state in states.items() if state == "running"]
        assert 1 <= len(running) <= capacity
        ended = random.choice(running)
        states[ended] = "failed" if int(ended[1:]) in failing else "succeeded"
    assert decision.finished
    broken = {name for name in graph if states[name] == "failed"}
    for name, needs in graph.items():
        if name not in broken:
            expected = (
                "skipped" if any(states[need] in ("failed", "skipped") for need in needs) else "succeeded"
            )
            assert states[name] == expected
