"""What ends a cached result, and what is said about it. Files are edited and loaded anew, as a next run would."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest
from tests.pipelines.conftest import Bench

from kedge.pipelines.fingerprint import code_parts, difference, key_of, value_hash
from kedge.pipelines.project import Project

HELPERS = '''
    import contextlib, functools
    LIMIT = 10

    def scaled(x):
        """Docs."""
        return _twice(x)

    def _twice(x):
        return 2 * x

    def unused(x):
        return x

    @functools.cache
    def remembered(x):
        return x + LIMIT

    def logged(function):
        @functools.wraps(function)
        def wrapper(*args):
            return function(*args)
        return wrapper

    @contextlib.contextmanager
    def opened(x):
        yield x + 100

    @functools.singledispatch
    def described(x):
        return 0

    @described.register
    def _whole(x: int):
        return x + 200

    def lent(x):
        return x + 300

    class Base:
        offset = 1
        table = {"lent": lent}
        def shift(self, x):
            return x + self.offset

    class Model(Base):
        @staticmethod
        def fit(x):
            return scaled(x)
        @property
        def size(self):
            return 3
'''
STEPS = """
    import helpers
    from helpers import Model, described, logged, opened, remembered, scaled
    import kedge

    RATES = {"a": [1, 2], "f": scaled}
    FIXED = 7

    @kedge.step(cache=True)
    def through_function(x):
        return scaled(x)

    @kedge.step(cache=True)
    def through_module(x):
        return helpers.scaled(x)

    @kedge.step(cache=True)
    def through_cache(x):
        return remembered(x)

    @kedge.step(cache=True)
    def through_class(x):
        return Model().fit(x)

    @kedge.step(cache=True)
    @logged
    def through_wrapper(x):
        return x

    @kedge.step(cache=True)
    def through_local_import(x):
        from deeper import inner
        return inner.value(x)

    import deeper.inner
    import deeper.inner as renamed

    @kedge.step(cache=True)
    def through_package(x):
        return deeper.inner.value(x)

    @kedge.step(cache=True)
    def through_renamed(x):
        return [renamed.value(y) for y in x]

    @kedge.step(cache=True)
    def through_library(x):
        with opened(x) as y:
            return described(y)

    class Settings:
        def __init__(self, function):
            self.function = function

    SETTINGS = Settings(scaled)

    @kedge.step(cache=True)
    def through_instance(x):
        return SETTINGS.function(x)

    @kedge.step(cache=True)
    def with_constant(x, extra=FIXED):
        return x + RATES["a"][0] + extra

    @kedge.step(cache=True)
    def inside_comprehension(xs):
        return [scaled(x) for x in xs if (lambda y: y > FIXED)(x)]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "helpers.py").write_text(dedent(HELPERS))
    (tmp_path / "steps.py").write_text(dedent(STEPS))
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "__init__.py").write_text("")
    (tmp_path / "deeper" / "inner.py").write_text(
        "from deeper.basis import FACTOR\ndef value(x): return x * FACTOR\n"
    )
    (tmp_path / "deeper" / "basis.py").write_text("FACTOR = 2\n")
    yield tmp_path
    forget()


def forget() -> None:
    for name in ("steps", "helpers", "deeper", "deeper.inner", "deeper.basis"):
        sys.modules.pop(name, None)


def loaded() -> ModuleType:
    forget()
    importlib.invalidate_caches()
    return importlib.import_module("steps")


def parts(folder: Path, step: str) -> dict[str, str]:
    return code_parts(getattr(loaded(), step).function, Project.of("steps:p", folder))


def edited(folder: Path, step: str, file: str, old: str, new: str) -> str:
    """What is said after an edit."""
    before = parts(folder, step)
    path = folder / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    after = parts(folder, step)
    assert (key_of(before) == key_of(after)) == (before == after)
    return difference(after, before)


@pytest.mark.parametrize(
    ("step", "file", "old", "new", "said"),
    [
        ("through_function", "steps.py", "return scaled(x)", "return scaled(x + 1)", "code of steps.through_function changed"),
        ("through_function", "helpers.py", "return 2 * x", "return 3 * x", "code of helpers._twice changed"),
        ("through_module", "helpers.py", "return 2 * x", "return 3 * x", "module helpers.py changed"),
        ("through_cache", "helpers.py", "LIMIT = 10", "LIMIT = 11", "constant helpers.LIMIT changed"),
        ("through_cache", "helpers.py", "x + LIMIT", "x - LIMIT", "code of helpers.remembered changed"),
        ("through_class", "helpers.py", "return 2 * x", "return 3 * x", "code of helpers._twice changed"),
        ("through_class", "helpers.py", "return 3\n", "return 4\n", "code of helpers.Model changed"),
        ("through_class", "helpers.py", "return x + self.offset", "return x", "code of helpers.Base changed"),
        ("through_wrapper", "helpers.py", "return function(*args)", "return -function(*args)", "code of steps.through_wrapper changed"),
        ("through_wrapper", "steps.py", "@logged\ndef through_wrapper(x):\n    return x", "@logged\ndef through_wrapper(x):\n    return -x", "code of steps.through_wrapper (2) changed"),
        ("through_local_import", "deeper/basis.py", "FACTOR = 2", "FACTOR = 3", "module deeper/basis.py changed"),
        ("through_package", "deeper/inner.py", "x * FACTOR", "x + FACTOR", "module deeper/inner.py changed"),
        ("through_package", "deeper/basis.py", "FACTOR = 2", "FACTOR = 3", "module deeper/basis.py changed"),
        ("through_renamed", "deeper/inner.py", "x * FACTOR", "x + FACTOR", "module deeper/inner.py changed"),
        ("through_library", "helpers.py", "x + 100", "x + 101", "code of helpers.opened changed"),
        ("through_library", "helpers.py", "return 0", "return 1", "code of helpers.described changed"),
        ("through_library", "helpers.py", "x + 200", "x + 201", "code of helpers._whole changed"),
        ("through_class", "helpers.py", "x + 300", "x + 301", "code of helpers.lent changed"),
        ("through_instance", "helpers.py", "return 2 * x", "return 3 * x", "code of helpers._twice changed"),
        ("with_constant", "steps.py", '"a": [1, 2]', '"a": [1, 3]', "constant steps.RATES changed"),
        ("with_constant", "steps.py", "FIXED = 7", "FIXED = 8", "default of steps.with_constant(extra) changed"),
        ("inside_comprehension", "steps.py", "FIXED = 7", "FIXED = 8", "constant steps.FIXED changed"),
        ("inside_comprehension", "helpers.py", "return 2 * x", "return 3 * x", "code of helpers._twice changed"),
    ],
)  # fmt: skip
def test_an_edit_that_matters_is_seen_and_named(folder, step, file, old, new, said) -> None:
    assert said in edited(folder, step, file, old, new).split(", ")


@pytest.mark.parametrize(
    ("step", "file", "old", "new"),
    [
        ("through_function", "steps.py", "return scaled(x)", "return scaled(  x  )  # why"),
        ("through_function", "steps.py", "@kedge.step(cache=True)\ndef through_function", "@kedge.step(cache=True, retries=3)\ndef through_function"),
        ("through_function", "helpers.py", '"""Docs."""', '"""Other docs."""'),
        ("through_function", "helpers.py", "def unused(x):\n    return x", "def unused(x):\n    return -x"),
        ("through_module", "helpers.py", "LIMIT = 10", "LIMIT = 10  # ten"),
        ("with_constant", "steps.py", "return scaled(x)", "return scaled(-x)"),
    ],
)  # fmt: skip
def test_an_edit_that_does_not_matter_changes_nothing(folder, step, file, old, new) -> None:
    assert edited(folder, step, file, old, new) == "nothing changed"


def test_two_helpers_of_one_name_both_count(folder: Path) -> None:
    (folder / "steps.py").write_text(
        "def made(n):\n    def add(x):\n        return x + n\n    return add\n"
        "one, two = made(1), made(2)\n"
        "def both(x):\n    return one(two(x))\n"
    )

    def of() -> dict[str, str]:
        return code_parts(loaded().both, Project.of("steps:p", folder))

    before = of()
    (folder / "steps.py").write_text((folder / "steps.py").read_text().replace("made(2)", "made(3)"))
    assert difference(of(), before) == "constant steps.made.<locals>.add.n (2) changed"


def test_libraries_are_not_looked_into(folder: Path) -> None:
    (folder / "steps.py").write_text(
        "import json\nfrom textwrap import dedent\ndef f(x):\n    return json.dumps(dedent(x))\n"
    )
    assert list(code_parts(loaded().f, Project.of("steps:p", folder))) == ["code of steps.f", "python"]


def test_equal_values_hash_alike_and_others_do_not() -> None:
    assert value_hash({"b": {2, 1}, "a": (1, None)}) == value_hash({"a": (1, None), "b": {1, 2}})
    values = [1, 1.0, True, "1", b"1", [1], (1,), {1}, {"1": 1}, None, Path("1"), [[1], []], [[], [1]]]
    assert len({value_hash(value) for value in values}) == len(values)


CACHED = """
    import kedge
    from caching_helper import scaled

    @kedge.step(cache=True)
    def load(n):
        with open(LEDGER, "a") as file:
            file.write("load ")
        return [n] * 3

    @kedge.step(cache=True)
    def total(rows):
        with open(LEDGER, "a") as file:
            file.write("total ")
        return scaled(sum(rows))

    LEDGER = {ledger!r}

    @kedge.pipeline
    def cached(n):
        return total(load(n))
"""


def test_a_cached_step_is_not_run_again_and_says_where_it_comes_from(bench: Bench) -> None:
    ledger = bench.folder / "ledger.txt"
    bench.write("caching_helper.py", "def scaled(x):\n    return 2 * x\n")
    path = bench.write("cached.py", CACHED.replace("{ledger!r}", repr(str(ledger))))
    first = bench.run(f"{path}:cached", n=2)
    assert [step.cache_note for step in bench.steps(first).values()] == ["never run before"] * 2
    again = bench.run(f"{path}:cached", n=2)
    assert bench.states(again) == {"load": "cached", "total": "cached"}
    assert {step.cache_note for step in bench.steps(again).values()} == {f"hit from run {first.id}"}
    assert (again.result, ledger.read_text()) == (12, "load total ")
    other = bench.run(f"{path}:cached", n=3)
    assert (other.result, ledger.read_text()) == (18, "load total load total ")
    notes = {name: step.cache_note for name, step in bench.steps(other).items()}
    assert notes == {"load": "input n changed", "total": "output of load changed"}


def test_a_cached_output_that_is_gone_is_made_again(bench: Bench) -> None:
    bench.write("caching_helper.py", "def scaled(x):\n    return 2 * x\n")
    path = bench.write("cached.py", CACHED.replace("{ledger!r}", repr(str(bench.folder / "l"))))
    first = bench.run(f"{path}:cached", n=2)
    bench.services.objects.path(bench.steps(first)["load"].output.object_id).unlink()
    again = bench.run(f"{path}:cached", n=2)
    assert bench.states(again) == {"load": "succeeded", "total": "cached"}


PASSED = """
    import functools
    import kedge
    from passed_helper import Level, Scaler, Shift, scaled

    @kedge.step(cache=True)
    def apply(functions, x):
        return [function(x) for function in functions]

    @kedge.pipeline
    def passing(x):
        return apply([scaled, functools.partial(scaled, by=3), Scaler.double], x)

    @kedge.step(cache=True)
    def use(shift, levels):
        return [shift.apply(1), shift.then(1), *(level.value for level in levels)]

    @kedge.pipeline
    def using():
        return use(Shift(scaled), [Level.HIGH])
"""
HELPER = """
    import enum

    def scaled(x, by=2):
        return by * x

    class Scaler:
        @staticmethod
        def double(x):
            return 2 * x

    class Level(enum.Enum):
        HIGH = 9

    class Shift:
        def __init__(self, then):
            self.then = then
        def apply(self, x):
            return x + 100
"""


@pytest.mark.parametrize(
    ("old", "new", "said", "result"),
    [
        ("x + 100", "x + 200", "code of using_helper.Shift changed", [201, 2, 9]),
        ("HIGH = 9", "HIGH = 8", "code of using_helper.Level changed", [101, 2, 8]),
        ("by * x", "by + x", "code of using_helper.scaled changed", [101, 3, 9]),
    ],
)
def test_the_code_of_objects_that_are_passed_to_a_step_counts(bench: Bench, old, new, said, result) -> None:
    bench.write("using_helper.py", HELPER)
    path = bench.write("used.py", PASSED.replace("passed_helper", "using_helper"))
    assert bench.run(f"{path}:using").result == [101, 2, 9]
    sys.modules.pop("using_helper")
    assert bench.states(bench.run(f"{path}:using")) == {"use": "cached"}
    sys.modules.pop("using_helper")
    bench.write("using_helper.py", HELPER.replace(old, new))
    changed = bench.run(f"{path}:using")
    assert changed.result == result
    assert said in bench.steps(changed)["use"].cache_note


def test_the_code_of_functions_that_are_passed_to_a_step_counts(bench: Bench) -> None:
    bench.write("passed_helper.py", HELPER)
    path = bench.write("passed.py", PASSED)
    assert bench.run(f"{path}:passing", x=5).result == [10, 15, 10]
    sys.modules.pop("passed_helper")
    assert bench.states(bench.run(f"{path}:passing", x=5)) == {"apply": "cached"}
    sys.modules.pop("passed_helper")
    bench.write("passed_helper.py", HELPER.replace("by * x", "by + x"))
    changed = bench.run(f"{path}:passing", x=5)
    assert changed.result == [7, 8, 10]
    assert "code of passed_helper.scaled changed" in bench.steps(changed)["apply"].cache_note
    sys.modules.pop("passed_helper")
    bench.write(
        "passed_helper.py", HELPER.replace("by * x", "by + x").replace("return 2 * x", "return 4 * x")
    )
    assert bench.run(f"{path}:passing", x=5).result == [7, 8, 20]
