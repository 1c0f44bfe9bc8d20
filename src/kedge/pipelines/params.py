"""What a pipeline may be started with: plain JSON values, by name."""

import math
from typing import Any

from kedge.core.errors import Invalid


def check_plain(pipeline: str, params: dict[str, Any]) -> None:
    """Raise Invalid naming the parameter whose value JSON would not give back."""
    for name, value in params.items():
        wrong = _wrong(value)
        if wrong is not None:
            raise Invalid(
                f"parameter {name!r} of pipeline {pipeline!r}: {wrong} is not a plain JSON value",
                hint="pass text, numbers, true, false, null, lists and dicts with text keys; ids of larger things",
            )


def _wrong(value: Any) -> str | None:
    """What in `value` is not plain."""
    if isinstance(value, str):
        # A file name that is no text comes with halves of surrogate pairs, which JSON cannot carry.
        return None if value == value.encode(errors="replace").decode() else f"the text {value!r}"
    if value is None or isinstance(value, bool | int):
        return None
    if isinstance(value, float):
        return None if math.isfinite(value) else repr(value)
    if isinstance(value, list | tuple):
        return next((wrong for each in value if (wrong := _wrong(each)) is not None), None)
    if isinstance(value, dict):
        keys = next((f"the key {key!r}" for key in value if not isinstance(key, str)), None)
        return keys or _wrong([*value, *value.values()])
    return f"a {type(value).__name__}"
