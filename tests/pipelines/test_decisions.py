"""The scheduler, tracing, cache keys, values and entries: decisions without processes."""

import textwrap
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kedge.core.errors import Invalid, NotFound
from kedge.pipelines import entry as entries
from kedge.pipelines.fingerprint import code_parts, difference, key_of, value_hash
from kedge.pipelines.graph import Handle
from kedge.pipelines.pipeline import Pipeline, pipeline
from kedge.pipelines.project import Project
from kedge.pipelines.schedule import decide
from kedge.pipelines.step import step
from kedge.pipelines.values import load, store
from kedge.storage.objects import FolderObjects

DIAMOND = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
ENDED = {"succeeded", "cached", "failed", "skipped", "cancelled"}


# The scheduler ---------------------------------------------------------------------------------------------------


def test_a_diamond_runs_in_layers() -> None:
    pending = dict.fromkeys(DIAMOND, "pending")
    assert decide(DIAMOND, pending, 4).start == ("a",)
    assert decide(DIAMOND, {**pending, "a": "succeeded"}, 4).start == ("b", "c")
    assert decide(DIAMOND, {**pending, "a": "cached"}, 1).start == ("b",)
    assert decide(DIAMOND, {"a": "succeeded", "b": "running", "c": "pending", "d": "pending"}, 1).start == ()
    done = dict.fromkeys(DIAMOND, "succeeded")
    assert decide(DIAMOND, done, 1).finished


def test_what_stands_on_a_failure_is_skipped_and_siblings_go_on() -> None:
    states = {"a": "succeeded", "b": "failed", "c": "pending", "d": "pending"}
    decision = decide(DIAMOND, states, 2)
    assert decision.skip == ("d",)
    assert decision.start == ("c",)
    assert not decision.finished


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 9))
    return {
        f"s{i}": [f"s{j}" for j in sorted(draw(st.sets(st.integers(0, i - 1), max_size=3)))] if i else []
        for i in range(count)
    }


@given(graphs(), st.integers(1, 4), st.randoms(use_true_random=False))
def test_every_run_ends_with_each_step_in_one_end(depends_on, capacity, chance) -> None:
    states = dict.fromkeys(depends_on, "pending")
    for _ in range(1000):
        decision = decide(depends_on, states, capacity)
        for name in decision.skip:
            states[name] = "skipped"
        if decision.finished:
            break
        for name in decision.start:
            assert all(states[need] in ("succeeded", "cached") for need in depends_on[name])
            states[name] = "running"
        running = [name for name, state in states.items() if state == "running"]
        assert len(running) <= capacity
        if running:
            states[chance.choice(running)] = chance.choice(["succeeded", "succeeded", "failed", "cached"])
    assert set(states.values()) <= ENDED
    for name, needs in depends_on.items():
        blocked = any(states[need] in ("failed", "skipped") for need in needs)
        assert (states[name] == "skipped") == blocked


# Tracing ---------------------------------------------------------------------------------------------------------


@step
def double(x):
    return 2 * x


@step
def add(a, b):
    return a + b


@pipeline
def sums(n: int, m: int = 1):
    x = double(n)
    return {"sum": add(x, double(m)), "list": [x]}


def test_calls_become_nodes_and_what_they_pass_edges() -> None:
    graph = sums.trace({"n": 1})
    assert list(graph.nodes) == ["double", "double-2", "add"]
    assert graph.nodes["add"].depends_on == ("double", "double-2")
    assert graph.result == {"sum": Handle("add"), "list": [Handle("double")]}


def test_outside_a_pipeline_a_step_just_runs() -> None:
    assert sums(2, 3) == {"sum": 10, "list": [4]}
    assert double(4) == 8


def test_waiting_without_taking_a_value() -> None:
    @pipeline
    def ordered(n: int):
        first = double(n)
        return double.after(first)(n)

    nodes = ordered.trace({"n": 1}).nodes
    assert nodes["double-2"].depends_on == ("double",)


@pytest.mark.parametrize(
    ("params", "word"), [({}, "missing a required argument: 'n'"), ({"n": 1, "k": 2}, "'k'")]
)
def test_wrong_parameters_are_named(params, word) -> None:
    with pytest.raises(Invalid, match=word):
        sums.trace(params)


def test_a_pipeline_without_steps_is_an_error() -> None:
    @pipeline
    def empty():
        return 3

    with pytest.raises(Invalid, match="called no step"):
        empty.trace({})


@pytest.mark.parametrize(
    "options", [{"retries": -1}, {"retries": 1.5}, {"timeout_s": 0}, {"timeout_s": float("nan")}]
)
def test_wrong_options_are_refused(options) -> None:
    with pytest.raises(Invalid):
        step(**options)(lambda: None)


# Cache keys ------------------------------------------------------------------------------------------------------


BASE = '''
FACTOR = 3

def helper(x):
    """Doc."""
    return x * FACTOR

def work(x):
    # a comment
    return helper(x) + 1
'''


def parts_of(folder: Path, source: str) -> dict[str, str]:
    file = folder / "flow_source.py"
    file.write_text(textwrap.dedent(source))
    module = entries._from_file(file)
    return code_parts(module.work, Project.of(f"{file}:work", folder))


@pytest.fixture
def base(tmp_path: Path) -> dict[str, str]:
    return parts_of(tmp_path, BASE)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("comment", "# a comment", "# another"),
        ("docstring", '"""Doc."""', '"""Other words."""'),
        ("layout", "return helper(x) + 1", "return (\n        helper(x)\n        + 1\n    )"),
        ("unrelated", "FACTOR = 3", "FACTOR = 3\nUNUSED = 9\n\ndef other():\n    return 1"),
    ],
)
def test_what_does_not_matter_keeps_the_key(tmp_path: Path, base, name, old, new) -> None:
    assert key_of(parts_of(tmp_path, BASE.replace(old, new))) == key_of(base)


@pytest.mark.parametrize(
    ("name", "old", "new", "note"),
    [
        ("own", "+ 1", "+ 2", "code of flow_source.work changed"),
        ("helper", "x * FACTOR", "x + FACTOR", "code of flow_source.helper changed"),
        ("constant", "FACTOR = 3", "FACTOR = 4", "constant flow_source.FACTOR changed"),
    ],
)
def test_what_matters_is_named(tmp_path: Path, base, name, old, new, note) -> None:
    changed = parts_of(tmp_path, BASE.replace(old, new))
    assert key_of(changed) != key_of(base)
    assert difference(changed, base) == note


def test_types_of_arguments_count() -> None:
    assert (
        len(
            {
                value_hash(1),
                value_hash(1.0),
                value_hash("1"),
                value_hash(True),
                value_hash([1]),
                value_hash((1,)),
            }
        )
        == 6
    )
    assert value_hash({"a": 1, "b": 2}) == value_hash({"b": 2, "a": 1})


# Values ----------------------------------------------------------------------------------------------------------


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**52), 2**52)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def objects(tmp_path_factory) -> FolderObjects:
    return FolderObjects(tmp_path_factory.mktemp("objects"))


@given(JSON)
def test_plain_values_come_back_as_they_were(objects, value) -> None:
    output = store(value, objects, "s")
    assert output.format == "json"
    back = load(output, objects)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    ("value", "form"),
    [((1, 2), "pickle"), ({1: 2}, "pickle"), (float("nan"), "pickle"), (2**70, "pickle"), ({1, 2}, "pickle")],
)
def test_what_json_would_change_is_pickled(objects, value, form) -> None:
    output = store(value, objects, "s")
    assert output.format == form
    assert repr(load(output, objects)) == repr(value)


def test_tables_and_arrays_have_open_formats(objects) -> None:
    table = pa.table({"a": [1, None], "b": ["x", "y"]})
    output = store(table, objects, "s")
    assert (output.format, load(output, objects)) == ("parquet", table)
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    output = store(array, objects, "s")
    assert output.format == "npy"
    assert (load(output, objects) == array).all()


def test_a_frame_comes_back_with_its_index(objects) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1.5, 2.5]}, index=["x", "y"])
    output = store(frame, objects, "s")
    assert output.format == "parquet"
    pd.testing.assert_frame_equal(load(output, objects), frame)


def test_what_cannot_be_stored_names_the_step(objects) -> None:
    with pytest.raises(Invalid, match=r"step 'fetch' returned a generator"):
        store((x for x in [1]), objects, "fetch")


# Entries ---------------------------------------------------------------------------------------------------------


def test_entries_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text("x = 1\n")
    for text in ("flow", "flow.py", ":f", "flow.py:", "flow.py:a b"):
        with pytest.raises(Invalid, match="names no pipeline"):
            entries.resolved(text, tmp_path)
    with pytest.raises(NotFound, match=r"none\.py"):
        entries.resolved("none.py:f", tmp_path)
    entry, project = entries.resolved("flow.py:x", tmp_path)
    with pytest.raises(Invalid, match="not a pipeline"):
        entries.load(entry, project)
    with pytest.raises(Invalid, match="there is no 'y'"):
        entries.load(entry.replace(":x", ":y"), project)


def test_a_pipeline_knows_where_it_stands() -> None:
    entry, project = sums.entry()
    assert entry.endswith(":sums")
    assert Path(project).is_dir()
    assert isinstance(sums, Pipeline)
