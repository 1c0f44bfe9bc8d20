"""What MLflow requires of names and values of runs and experiments, with its words where they do not hold."""

import functools
import json
import posixpath
import re
from collections.abc import Sequence
from typing import Any, Final

from kedge.core.mlflow_error import MlflowError, invalid_parameter
from kedge.core.runs import Metric, Pair

MOST_METRICS: Final = 1000
MOST_PARAMS_OR_TAGS: Final = 100
MOST_ENTITIES: Final = 1000
_KEY, _PARAM, _TAG = 250, 6000, 8000
_EXPERIMENT_NAME, _EXPERIMENT_TAG = 500, 20_000
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
    raise refused(
        path,
        name,
        "Names may be treated as files in certain cases, and must not resolve to other names when treated as such. "
        f"This name would resolve to {posixpath.normpath(name)!r}",
    )


def _limited(what: str, value: str, limit: int) -> None:
    if len(value) > limit:
        raise invalid_parameter(f"'{what}' exceeds the maximum length of {limit} characters")


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
