"""Checks of what every detector declares and how it is constructed."""

import copy
import inspect
import math
import pickle
from functools import partial
from typing import Any

import kedge.drift
from kedge.drift import Choice, Constraint, Election, Instances, Interval, Methods, OrNone, ParameterError
from kedge.testing.detector_cases import Case, raises


def parameters_are_stored_as_given(case: Case) -> None:
    given = case.make().parameters()
    again = case.cls(**given).parameters()
    assert all(again[name] is value for name, value in given.items())
    assert set(given) == set(case.spec.params), "the constraints are not those of the constructor's arguments"


def defaults_are_allowed_and_immutable(case: Case) -> None:
    for name, parameter in inspect.signature(case.cls).parameters.items():
        default = parameter.default
        assert default is not inspect.Parameter.empty, f"{name} has no default"
        assert isinstance(default, int | float | str | bool | tuple | Election | None), (
            f"{name}'s default can be changed"
        )
        assert case.spec.params[name].admits(default)


def bad_parameters_are_refused_by_name(case: Case) -> None:
    for name, constraint in case.spec.params.items():
        for bad in _bad_values(constraint):
            error = raises(ParameterError, partial(case.make, **{name: bad}))
            assert error.name == name, f"{name}={bad!r} is refused as {error.name}"
            assert name in str(error), f"the message does not name {name}: {error}"
            assert isinstance(error, ValueError)


def contradictory_parameters_are_refused(case: Case) -> None:
    given = case.make().parameters()
    for lower, upper in getattr(case.cls, "ordered", ()):
        rule = case.spec.params[upper]
        assert isinstance(rule, Interval), "what is ordered are numbers"
        above = given[upper] + 1 if math.isinf(rule.high) or rule.kind is int else (given[upper] + 1) / 2
        error = raises(ParameterError, partial(case.make, **{lower: above}))
        assert error.name == lower
        assert upper in str(error), f"the message does not name {upper}: {error}"
        case.make(**{lower: given[upper]})


def _bad_values(constraint: Constraint) -> list[Any]:
    if isinstance(constraint, Choice):
        return ["no such option", None, 3.5]
    if isinstance(constraint, Instances):
        return ["no such object", None, 3.5, (), (3.5,)]
    if isinstance(constraint, Methods):
        return ["no such object", 3.5, object(), dict]
    if isinstance(constraint, OrNone):
        return [bad for bad in _bad_values(constraint.interval) if bad is not None]
    kind, low, high = constraint.kind, constraint.low, constraint.high
    bad: list[Any] = [math.nan, math.inf, "3", None, True]
    if math.isfinite(low):
        bad.append(kind(low) - 1 if constraint.closed in ("both", "left") else kind(low))
    if math.isfinite(high):
        bad.append(kind(high) + 1 if constraint.closed in ("both", "right") else kind(high))
    if kind is int:
        bad.append(1.5)
    return bad


def the_spec_is_its_class(case: Case) -> None:
    spec = case.spec
    assert spec.name == case.cls.__name__
    for text in (spec.paper, spec.equations, spec.false_alarms, spec.cost):
        assert text.strip(), "the spec leaves a field empty"
    assert all(reason.strip() for reason in spec.expected_failures.values()), (
        "an expected failure has no reason"
    )


def documentation_is_complete(case: Case) -> None:
    text = case.cls.__doc__ or ""
    for section in ("Parameters\n", "Examples\n", "References\n"):
        assert section in text, f"{case.spec.name} documents no {section.strip()}"
    for name in case.spec.params:
        assert f"{name} : " in text, f"{case.spec.name} does not document {name}"


def repr_is_its_constructor(case: Case) -> None:
    made = case.make()
    names = {**vars(kedge.drift), case.cls.__name__: case.cls}
    again = eval(repr(made), names)  # noqa: S307 - our own text
    assert repr(again) == repr(made)


def copies_and_pickles_are_made(case: Case) -> None:
    made = case.make()
    for other in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):  # noqa: S301 - our own bytes
        assert repr(other) == repr(made)


STRUCTURE = (
    parameters_are_stored_as_given,
    defaults_are_allowed_and_immutable,
    bad_parameters_are_refused_by_name,
    contradictory_parameters_are_refused,
    the_spec_is_its_class,
    documentation_is_complete,
    repr_is_its_constructor,
    copies_and_pickles_are_made,
)
