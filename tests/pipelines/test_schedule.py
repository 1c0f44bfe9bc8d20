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


LINE = {"a": [], "b": ["a"], "c": ["b"]}
FAN = {"a": [], **{f"b{n}": ["a"] for n in range(5)}, "z": [f"b{n}" for n in range(5)]}


def drawn(
    graph: dict[str, list[str]], outcomes: dict[str, list[str]], capacity: int
) -> tuple[list[str], dict[str, str]]:
    """(order of starts, end states); a step gives its outcomes one after the other, then succeeds."""
    states, left, order = dict.fromkeys(graph, "pending"), {n: list(o) for n, o in outcomes.items()}, []
    while not (decision := decide(graph, states, capacity)).finished:
        states.update(dict.fromkeys(decision.skip, "skipped"))
        states.update(dict.fromkeys(decision.start, "running"))
        order += decision.start
        assert decision.start or decision.skip or "running" in states.values()
        for name in [name for name, state in states.items() if state == "running"]:
            states[name] = left[name].pop(0) if left.get(name) else "succeeded"
    states.update(dict.fromkeys(decision.skip, "skipped"))
    return order, states


def test_a_line_a_fan_and_a_retry() -> None:
    assert drawn(LINE, {}, 4) == (["a", "b", "c"], dict.fromkeys(LINE, "succeeded"))
    assert drawn(FAN, {}, 2)[0] == ["a", "b0", "b1", "b2", "b3", "b4", "z"]
    assert drawn(LINE, {"b": ["pending", "pending"]}, 1)[0] == ["a", "b", "b", "b", "c"]
    order, states = drawn(DIAMOND, {"b": ["pending", "failed"]}, 1)
    assert (order, states) == (
        ["a", "b", "b", "c"],
        {"a": "succeeded", "b": "failed", "c": "succeeded", "d": "skipped"},
    )


def test_a_leaf_and_a_middle_that_fail_and_a_run_that_is_cancelled() -> None:
    assert drawn(FAN, {"b3": ["failed"]}, 8)[1] == {
        **dict.fromkeys(FAN, "succeeded"),
        "b3": "failed",
        "z": "skipped",
    }
    assert drawn(LINE, {"c": ["failed"]}, 1)[1] == {"a": "succeeded", "b": "succeeded", "c": "failed"}
    assert drawn(LINE, {"a": ["cancelled"]}, 1)[1] == {"a": "cancelled", "b": "skipped", "c": "skipped"}


@given(graphs(), st.integers(1, 4), st.data())
def test_retries_end_too(graph, capacity, data) -> None:
    ends = st.sampled_from(["succeeded", "cached", "failed", "cancelled"])
    outcomes = {name: ["pending"] * data.draw(st.integers(0, 3)) + [data.draw(ends)] for name in graph}
    order, states = drawn(graph, outcomes, capacity)
    for name, needs in graph.items():
        blocked = any(states[need] not in ("succeeded", "cached") for need in needs)
        assert states[name] == ("skipped" if blocked else outcomes[name][-1])
        assert order.count(name) == (0 if blocked else len(outcomes[name]))
        for need in needs:
            assert name not in order or max(i for i, n in enumerate(order) if n == need) < order.index(name)
