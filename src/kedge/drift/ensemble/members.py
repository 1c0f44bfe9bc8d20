"""Members and elections of an ensemble in its state: by name and parameters, made anew from classes that are loaded."""

import base64
from collections.abc import Iterable
from typing import Any

from kedge.drift.ensemble.elections import ELECTIONS, Election
from kedge.drift.errors import StateError
from kedge.drift.spec import as_call, parameters_of


def written(value: Any) -> Any:
    """A parameter as JSON: detectors and elections as their names and parameters."""
    if isinstance(value, tuple):
        return [written(each) for each in value]
    if isinstance(value, Election) or hasattr(value, "spec"):
        parameters = {name: written(each) for name, each in parameters_of(value).items()}
        return {"class": type(value).__name__, "parameters": parameters}
    return value


def read(value: Any, base: type) -> Any:
    """The parameter that was `written`; detectors are of a loaded subclass of `base`.

    Raises
    ------
    StateError
        No class of that name is loaded, or several are.
    """
    if isinstance(value, list):
        return tuple(read(each, base) for each in value)
    if not isinstance(value, dict):
        return value
    name = value.get("class")
    found = [cls for cls in (*ELECTIONS, *_subclasses(base)) if cls.__name__ == name]
    if len(found) != 1:
        raise StateError(f"the state holds a {name}, and {len(found)} classes of that name are loaded")
    return found[0](**{key: read(each, base) for key, each in value["parameters"].items()})


def fresh(members: Iterable[Any], missing: str) -> tuple[Any, ...]:
    """New detectors with the members' parameters, all of which treat missing values alike."""
    return tuple(type(each)(**{**parameters_of(each), "missing": missing}) for each in members)


def as_texts(members: Iterable[Any]) -> tuple[str, ...]:
    """The members' states."""
    return tuple(base64.b64encode(each.state()).decode() for each in members)


def from_texts(members: tuple[Any, ...], texts: Any) -> tuple[Any, ...]:
    """Members of the same classes and parameters with these states.

    Raises
    ------
    StateError
        A text is no state of its member.
    """
    if not isinstance(texts, tuple) or len(texts) != len(members):
        raise StateError("the state does not hold one state for each member")
    return tuple(_resumed(each, text) for each, text in zip(members, texts, strict=True))


def _resumed(member: Any, text: str) -> Any:
    resumed = type(member).from_state(base64.b64decode(text))
    if as_call(resumed) != as_call(member):
        raise StateError(f"the state of a member is that of {resumed!r}, not of {member!r}")
    return resumed


def _subclasses(base: type) -> set[type]:
    direct: set[type] = set(base.__subclasses__())
    return direct.union(*(_subclasses(each) for each in direct))
