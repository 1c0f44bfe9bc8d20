"""What MLflow requires of names and values of runs and experiments, with its words where they do not hold."""

import functools
import json
import posixpath
import re
from collections.abc import Sequence
from typing import Any, Final

from kedge.core.logged import Metric, Pair
from kedge.core.mlflow_error import MlflowError, invalid_parameter
from kedge.core.runs import InputDataset

MOST_METRICS: Final = 1000
MOST_PARAMS_OR_TAGS: Final = 100
MOST_ENTITIES: Final = 1000
_KEY, _PARAM, _TAG = 250, 6000, 8000
_EXPERIMENT_NAME, _EXPERIMENT_TAG, _REGISTRY_TAG, _ALIAS_LENGTH = 500, 20_000, 100_000, 255
_ALIAS = re.compile(r"^[\w\-]*$")
_VERSION_ALIAS = re.compile(r"^[vV]\d+$")
_NAME = re.compile(r"^[/\w.\- :]*$")
_RUN_ID = re.compile(r"^[a-zA-Z0-9][\w\-]{0,255}$")


def refused(path: str, value: Any, rule: str = "") -> MlflowError:
    """MLflow's words for a value that breaks a rule."""
    shown = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return invalid_parameter(
        f"Invalid value {shown} for parameter '{path}' supplied" + (f": {rule}" if rule else ".")
    )


def _within(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


@functools.lru_cache(4096)
def _is_plain(name: str) -> bool:
    plain = posixpath.normpath(name)
    return bool(_NAME.match(name)) and plain == name and plain != "." and not plain.startswith(("..", "/"))


def require_name(name: str, path: str) -> None:
    """A key may be taken for a file name and must not mean another."""
    if _is_plain(name):
        return
    if not _NAME.match(name):
        raise refused(
            path,
            name,
            "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) "
            "and slashes (/).",
        )
    _not_another(path, name)


def _not_another(path: str, name: str) -> None:
    plain = posixpath.normpath(name)
    if plain == name and plain != "." and not plain.startswith(("..", "/")):
        return
    raise refused(
        path,
        name,
        "Names may be treated as files in certain cases, and must not resolve to other names when treated as such. "
        f"This name would resolve to {plain!r}",
    )


def _limited(what: str, value: str, limit: int) -> None:
    if len(value) > limit:
        raise invalid_parameter(f"'{what}' exceeds the maximum length of {limit} characters")


def require_whole_dataset(metric: Metric) -> None:
    """A dataset is named with its digest, or not at all."""
    if (metric.dataset_name is None) != (metric.dataset_digest is None):
        raise invalid_parameter("Both dataset_name and dataset_digest must be provided if one is provided")


def require_metric(metric: Metric, path: str = "") -> None:
    """Name, and a time that is not negative."""
    require_name(metric.key, _within(path, "name"))
    if metric.timestamp < 0:
        raise refused(
            _within(path, "timestamp"),
            metric.timestamp,
            f"metric '{metric.key}' (value={metric.value}). Timestamp must be a nonnegative long (64-bit integer) ",
        )
    _limited("Metric name", metric.key, _KEY)


def accepted_param(param: Pair, path: str = "") -> Pair:
    """The parameter, a long value cut."""
    require_name(param.key, _within(path, "key"))
    _limited("Param key", param.key, _KEY)
    return param if len(param.value) <= _PARAM else Pair(param.key, param.value[:_PARAM])


def accepted_tag(tag: Pair, path: str = "") -> Pair:
    """The tag, a long value cut."""
    require_name(tag.key, _within(path, "key"))
    _limited(_within(path, "key"), tag.key, _KEY)
    return tag if len(tag.value) <= _TAG else Pair(tag.key, tag.value[:_TAG])


def require_experiment_tag(tag: Pair) -> None:
    """Nothing is cut here."""
    require_name(tag.key, "key")
    _limited("key", tag.key, _KEY)
    _limited("value", tag.value, _EXPERIMENT_TAG)


def require_experiment_name(name: str) -> None:
    """Not empty, not too long."""
    if not name:
        raise invalid_parameter(f"Invalid experiment name: '{name}'")
    _limited("name", name, _EXPERIMENT_NAME)


def experiment_number(text: str) -> int:
    """The number that an id is."""
    try:
        return int(text)
    except ValueError as error:
        raise invalid_parameter(
            f"Invalid experiment ID '{text}'. Experiment ID must be a valid integer."
        ) from error


def require_run_id(run_id: str) -> None:
    """As batches require it."""
    if _RUN_ID.match(run_id) is None:
        raise refused("run_id", run_id)


def require_model_name(name: str, path: str = "name") -> None:
    """Of a registered model."""
    if not name.strip():
        raise invalid_parameter(f"Missing value for required parameter '{path}'.")
    if "/" in name or ":" in name:
        raise invalid_parameter(f"Invalid model name '{name}'. Names cannot contain '/' or ':'.")
    _not_another("name", name)


def require_logged_model_name(name: str) -> None:
    """Of a model that a run logs."""
    characters = ("/", ":", ".", "%", '"', "'")
    if any(character in name for character in characters):
        raise invalid_parameter(
            f"Invalid model name ({name!r}) provided. Model name must be a non-empty string and cannot contain the "
            f"following characters: {characters}"
        )


def require_registry_tag(tag: Pair) -> None:
    """Nothing is cut here."""
    require_name(tag.key, "key")
    _limited("key", tag.key, _KEY)
    _limited("value", tag.value, _REGISTRY_TAG)


def require_alias(alias: str) -> None:
    """Letters, digits, dashes."""
    if not alias:
        raise invalid_parameter("Registered model alias name cannot be empty.")
    if not _ALIAS.match(alias):
        raise invalid_parameter(
            f"Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
        )
    _limited("Registered model alias name", alias, _ALIAS_LENGTH)


def require_free_alias(alias: str) -> None:
    """None that means a version by itself."""
    require_alias(alias)
    if alias.lower() == "latest":
        raise invalid_parameter("'latest' alias name (case insensitive) is reserved.")
    if _VERSION_ALIAS.match(alias):
        raise invalid_parameter(f"Version alias name '{alias}' is reserved.")


def version_number(text: str) -> int:
    """The number that a version is."""
    try:
        return int(text)
    except ValueError as error:
        raise invalid_parameter(f"Parameter 'version' must be an integer, got '{text}'.") from error


def require_input(dataset: InputDataset) -> None:
    """Lengths of a dataset that a run read."""
    for name, value, limit in (
        ("name", dataset.name, 500),
        ("digest", dataset.digest, 36),
        ("source", dataset.source, 65535),
        ("schema", dataset.schema or "", 1048575),
        ("profile", dataset.profile or "", 16777215),
    ):
        _limited(name, value, limit)
    for tag in dataset.tags:
        _limited("key", tag.key, 255)
        _limited("value", tag.value, 500)


def require_batch(metrics: Sequence[Metric], params: Sequence[Pair], tags: Sequence[Pair]) -> None:
    """Not too many of each and of all, and no parameter twice."""
    for what, limit, count in (
        ("metrics", MOST_METRICS, len(metrics)),
        ("params", MOST_PARAMS_OR_TAGS, len(params)),
        ("tags", MOST_PARAMS_OR_TAGS, len(tags)),
        ("metrics, params, and tags", MOST_ENTITIES, len(metrics) + len(params) + len(tags)),
    ):
        if count > limit:
            raise invalid_parameter(
                f"A batch logging request can contain at most {limit} {what}. Got {count} {what}. "
                f"Please split up {what} across multiple requests and try again."
            )
    seen: set[str] = set()
    twice = [param.key for param in params if param.key in seen or seen.add(param.key)]  # type: ignore[func-returns-value]
    if twice:
        raise invalid_parameter(
            f"Duplicate parameter keys have been submitted: {twice}. Please ensure the request contains only one param "
            "value per param key."
        )
