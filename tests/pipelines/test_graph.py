"""Tracing: calls become a graph; outside a pipeline decorated functions just run."""

import collections
from typing import NamedTuple

import pytest

from kedge.core.errors import Invalid
from kedge.pipelines.graph import Handle, filled, handles
from kedge.pipelines.pipeline import pipeline
from kedge.pipelines.step import step


@step
def one() -> int:
    return 1


@step(cache=True, retries=2, timeout_s=5)
def add(left: int, right: int = 10) -> int:
    return left + right


def other_one() -> int:
    return 5


other_one.__name__ = "one"
impostor = step(other_one)


@pipeline
def sums(start: int, *, times: int = 2) -> dict[str, int]:
    total = add(start, right=one())
    for _ in range(times):
        total = add(total)
    return {"total": total, "times": times}


@pipeline(name="twins")
def twins() -> list[int]:
    return [one(), impostor(), one(), impostor()]


def test_called_outside_a_pipeline_they_just_run() -> None:
    assert sums(1, times=1) == {"total": 12, "times": 1}
    assert add.after(one())(1) == 11


def test_a_trace_holds_calls_edges_options_and_result() -> None:
    graph = sums.trace({"start": 1})
    assert list(graph.nodes) == ["one", "add", "add-2", "add-3"]
    assert [node.depends_on for node in graph.nodes.values()] == [(), ("one",), ("add",), ("add-2",)]
    assert [node.index for node in graph.nodes.values()] == [0, 1, 2, 3]
    options = graph.nodes["add"].options
    assert (options.cache, options.retries, options.timeout_s) == (True, 2, 5)
    assert graph.result == {"total": Handle("add-3"), "times": 2}


def test_functions_of_the_same_name_do_not_take_each_others_place() -> None:
    graph = twins.trace({})
    assert twins.name == "twins"
    assert list(graph.nodes) == ["one", "one-2", "one-3", "one-4"]
    assert [node.function() for node in graph.nodes.values()] == [1, 5, 1, 5]


def test_after_orders_without_passing_a_value() -> None:
    @pipeline
    def ordered() -> int:
        return add.after(one())(3)

    node = ordered.trace({}).nodes["add"]
    assert (node.depends_on, node.args) == (("one",), (3,))


@pytest.mark.parametrize("params", [{}, {"start": 1, "strat": 2}, {"times": 2}])
def test_missing_and_unknown_parameters_are_named(params: dict[str, int]) -> None:
    with pytest.raises(Invalid, match="strat" if "strat" in params else "start"):
        sums.trace(params)


def test_a_pipeline_must_call_a_step() -> None:
    @pipeline
    def idle() -> int:
        return 1

    with pytest.raises(Invalid, match="called no step"):
        idle.trace({})


@pytest.mark.parametrize(
    "look",
    [
        list,
        bool,
        len,
        int,
        float,
        lambda handle: handle[0],
        lambda handle: f"{handle}",
        lambda handle: 1 in handle,
        lambda handle: handle == 1,
        lambda handle: handle != "ok",
        lambda handle: handle in [1, 2],
    ],
)
def test_looking_into_an_output_while_drawing_is_refused(look) -> None:
    with pytest.raises(Invalid, match="step 'one'"):
        look(Handle("one"))


def test_a_step_called_wrongly_is_found_while_drawing() -> None:
    @pipeline
    def wrong() -> int:
        return add(1, centre=2)

    with pytest.raises(Invalid, match=r"step 'add'.*centre"):
        wrong.trace({})


def test_a_handle_of_another_run_is_refused() -> None:
    @pipeline
    def stale() -> int:
        return add(Handle("gone"))

    with pytest.raises(Invalid, match="another run"):
        stale.trace({})


@pytest.mark.parametrize(
    "options", [{"retries": -1}, {"retries": True}, {"retries": 1.5}, {"timeout_s": 0}, {"timeout_s": -1}]
)
def test_bad_options_are_refused(options) -> None:
    with pytest.raises(Invalid, match=next(iter(options))):
        step(**options)


def test_bad_pipeline_names_are_refused() -> None:
    with pytest.raises(Invalid, match="'a b'"):
        pipeline(name="a b")(other_one)


class Window(NamedTuple):
    start: object
    end: object


def test_a_step_gets_its_arguments_as_they_were_passed() -> None:
    """Containers keep their kind when the outputs of steps are put in them; what holds none is left as it is."""
    values = {"a": 1, "b": 2}
    passed = [
        Window(Handle("a"), 5),
        (Handle("a"), [Handle("b")]),
        {"x": Handle("b"), 3: frozenset({Handle("a"), 7})},
        {Handle("b")},
        collections.OrderedDict(z=1),
        collections.defaultdict(list, q=[1]),
    ]
    got = filled(passed, values.__getitem__)
    assert got == [Window(1, 5), (1, [2]), {"x": 2, 3: frozenset({1, 7})}, {2}, {"z": 1}, {"q": [1]}]
    assert [type(each) for each in got] == [type(each) for each in passed]
    assert [handle.node for handle in handles(passed[:3])] == ["a", "a", "b", "b", "a"]


def test_a_step_may_change_its_lists_without_the_next_try_seeing_it() -> None:
    passed = {"rows": [1, [2]]}
    got = filled(passed, {}.__getitem__)
    got["rows"][1].append(3)
    assert passed == {"rows": [1, [2]]}


def test_an_output_in_a_container_that_cannot_be_filled_is_refused() -> None:
    @pipeline
    def ordered() -> int:
        return add(collections.OrderedDict(x=add(1)))

    with pytest.raises(Invalid, match=r"step 'add-2'.*inside a OrderedDict"):
        ordered.trace({})


def test_edges_run_through_sets_and_named_tuples() -> None:
    @pipeline
    def nested() -> int:
        return add({add(1)}, Window(add(2), 3))

    assert nested.trace({}).nodes["add-3"].depends_on == ("add", "add-2")
