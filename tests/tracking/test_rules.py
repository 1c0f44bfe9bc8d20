"""What names and values must be: accepted, cut and refused as `mlflow.utils.validation` does it, in its words."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some
from tests.tracking.test_grammar import plain

from kedge.core.logged import Metric, Pair
from kedge.core.mlflow_error import MlflowError
from kedge.core.runs import InputDataset
from kedge.tracking import rules

theirs = pytest.importorskip("mlflow.utils.validation")
entities = pytest.importorskip("mlflow.entities")
MlflowException = pytest.importorskip("mlflow.exceptions").MlflowException

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
alike = settings(max_examples=300, deadline=None, derandomize=True)

LIMITS = (0, 1, 36, 250, 255, 500, 6000, 8000, 20_000, 65_535, 100_000)
NAMES = some.one_of(
    some.text(alphabet="ab.:/-_ \\\n%é😀\t'\"vV19", max_size=8),
    some.text(max_size=5),
    some.sampled_from(["..", ".", "a/../b", "a//b", "/a", "a/", "./a", "latest", "LATEST", "v1", "V12", "va", "", " ", "a\n", "m-1"]),
    some.builds(lambda limit, more, mark: mark * max(0, limit + more), some.sampled_from(LIMITS[:6]), some.integers(-1, 1), some.sampled_from(["x", "é", "😀"])),
)  # fmt: skip
VALUES = some.one_of(
    some.text(max_size=5),
    some.builds(lambda limit, more, mark: mark * max(0, limit + more), some.sampled_from(LIMITS), some.integers(-1, 1), some.sampled_from(["y", "😀"])),
)  # fmt: skip


def outcome(check: Callable[..., Any], *arguments: Any) -> Any:
    """What came of it: a value, or the words of the refusal with their code."""
    try:
        return check(*arguments)
    except (MlflowException, MlflowError) as error:
        return error.error_code, plain(error.message)


def same(first: Callable[..., Any], second: Callable[..., Any], *arguments: Any) -> None:
    assert outcome(second, *arguments) == outcome(first, *arguments), arguments


def pair(kept: Any) -> Any:
    """A parameter or tag of MLflow's as it is compared."""
    return kept if isinstance(kept, tuple) else (kept.key, kept.value)


PATHS = some.sampled_from(["", "metrics[0]", "params[12]"])


@alike
@given(
    NAMES,
    some.one_of(some.floats(), some.just(0.0)),
    some.integers(-2, 2) | some.sampled_from([-(2**63), 2**63 - 1]),
    PATHS,
)
def test_metrics(key: str, value: float, timestamp: int, path: str) -> None:
    same(
        lambda: theirs._validate_metric(key, value, timestamp, 0, path),
        lambda: rules.require_metric(Metric(key, value, timestamp, 0), path),
    )


@alike
@given(NAMES, VALUES, PATHS)
def test_parameters_and_tags(key: str, value: str, path: str) -> None:
    given_pair = Pair(key, value)
    for check, accepted in (
        (theirs._validate_param, rules.accepted_param),
        (theirs._validate_tag, rules.accepted_tag),
    ):
        wanted, found = outcome(check, key, value, path), outcome(accepted, given_pair, path)
        assert pair(found) == pair(wanted)
    same(
        lambda: theirs._validate_experiment_tag(key, value), lambda: rules.require_experiment_tag(given_pair)
    )
    for check in (theirs._validate_registered_model_tag, theirs._validate_model_version_tag):
        same(lambda check=check: check(key, value), lambda: rules.require_registry_tag(given_pair))


@alike
@given(NAMES)
@example("\u0661")
def test_names(name: str) -> None:
    same(theirs._validate_experiment_name, rules.require_experiment_name, name)
    same(theirs._validate_model_name, rules.require_model_name, name)
    same(theirs._validate_model_alias_name, rules.require_alias, name)
    same(lambda n: theirs._validate_logged_model_name(n or None), rules.require_logged_model_name, name)
    same(theirs._validate_run_id, rules.require_run_id, name)
    same(theirs._parse_experiment_id, rules.experiment_number, name)
    same(theirs._validate_model_version, rules.version_number, name)


@alike
@given(NAMES)
def test_names_that_are_given(name: str) -> None:
    def alias(given_name: str) -> None:
        theirs._validate_model_alias_name(given_name)
        theirs._validate_model_alias_name_reserved(given_name)

    same(alias, rules.require_free_alias, name)
    same(theirs._validate_model_renaming, lambda n: rules.require_model_name(n, "new_name"), name)


SIZES = some.sampled_from([0, 1, 99, 100, 101, 950, 999, 1000, 1001])


@alike
@given(SIZES, SIZES, SIZES)
def test_sizes_of_batches(metrics: int, params: int, tags: int) -> None:
    same(
        lambda: theirs._validate_batch_log_limits([None] * metrics, [None] * params, [None] * tags),
        lambda: rules.require_batch(
            [Metric("m", 1.0, 1, 0)] * metrics,
            [Pair(str(place), "") for place in range(params)],
            [Pair("t", "")] * tags,
        ),
    )


@alike
@given(some.lists(some.sampled_from("abc"), max_size=6))
def test_parameters_that_come_twice(keys: list[str]) -> None:
    same(
        lambda: theirs._validate_param_keys_unique([entities.Param(key, "1") for key in keys]),
        lambda: rules.require_batch([], [Pair(key, "1") for key in keys], []),
    )


SHORT = some.text(max_size=3)
LONG = some.builds(
    lambda limit, more: "x" * (limit + more),
    some.sampled_from([36, 255, 500, 65_535, 1_048_575, 16_777_215]),
    some.integers(0, 1),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(some.tuples(*[SHORT] * 6), some.integers(0, 5), LONG, SHORT, some.one_of(SHORT, LONG))
def test_datasets(texts: tuple[str, ...], place: int, long: str, key: str, value: str) -> None:
    name, digest, source_type, source, schema, profile = (
        long if number == place else text for number, text in enumerate(texts)
    )
    dataset = entities.Dataset(name, digest, source_type, source, schema, profile)
    asked = [entities.DatasetInput(dataset, [entities.InputTag(key, value)])]
    ours = InputDataset(
        name=name,
        digest=digest,
        source_type=source_type,
        source=source,
        schema=schema,
        profile=profile,
        tags=(Pair(key, value),),
    )
    same(lambda: theirs._validate_dataset_inputs(asked), lambda: rules.require_input(ours))
