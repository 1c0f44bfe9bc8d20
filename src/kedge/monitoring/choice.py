"""Batch detectors chosen by name and parameters, in the words that a person types."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal

from kedge.core.errors import Invalid
from kedge.drift.batch.base import BatchDetector
from kedge.drift.detectors import ALL
from kedge.drift.errors import ParameterError
from kedge.drift.spec import Choice
from kedge.monitoring.definitions import DEFAULT_DETECTORS
from kedge.monitoring.specs import SHORT_NAMES, plain

Parameter = tuple[str, Any]
"""`alpha` or `MMD.permutations`, and its value."""

Reads = Literal["numeric", "categorical", "any", "rows"]

OF_ROWS = {
    "energymultivariate": "EnergyDistanceMultivariate",
    "c2st": "ClassifierTwoSample",
    "kdq": "KdqTree",
    "pca": "PCAReconstruction",
    "uncertainty": "ModelUncertainty",
}
"""Short names beside those that monitors know."""

_NAMES_LIST = "`kedge drift list` names them all"


def of_monitors(params: Sequence[Parameter] = ()) -> tuple[BatchDetector, ...]:
    """The detectors of monitors that name none, a test and an effect size for each kind of column."""
    specs = {spec["name"]: spec for by_kind in DEFAULT_DETECTORS["drift"].values() for spec in by_kind}
    given = [(f"{name}.{key}", spec[key]) for name, spec in specs.items() for key in spec if key != "name"]
    return chosen(list(specs), [*given, *params])


def chosen(names: Sequence[str], params: Sequence[Parameter] = ()) -> tuple[BatchDetector, ...]:
    """Detectors by their names, whole or short, in any case, with their parameters.

    A parameter `name` goes to every detector that has it, `Detector.name` to that one, where it outweighs the former.

    Raises
    ------
    Invalid
        A name is unknown or there twice, or a parameter is none of the chosen detectors' or breaks its rule.
    """
    kinds = [_kind(name) for name in names]
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise Invalid(f"detector {kind.__name__} is named twice")
    given: dict[str, dict[str, Any]] = {kind.__name__: {} for kind in kinds}
    for key, value in sorted(params, key=lambda each: "." in each[0]):
        whose, _, parameter = key.rpartition(".")
        for kind in _owners(kinds, whose, parameter):
            given[kind.__name__][parameter] = value
    try:
        return tuple(kind(**given[kind.__name__]) for kind in kinds)
    except ParameterError as error:
        raise Invalid(str(error)) from error


def reads(detector: BatchDetector) -> Reads:
    """What a detector compares: columns of numbers, of categories, of either, or rows of several columns."""
    if detector.spec.input in ("vector", "labelled", "probabilities"):
        return "rows"
    if detector.spec.input == "categorical":
        return "categorical"
    binning = detector.spec.params.get("binning")
    if not isinstance(binning, Choice) or not binning.admits("categories"):
        return "numeric"
    return "categorical" if detector.parameters()["binning"] == "categories" else "any"


def by_categories(detector: BatchDetector) -> BatchDetector:
    """The detector for a column of categories: where it makes bins, each category is one."""
    if "binning" not in detector.spec.params:
        return detector
    return type(detector)(**{**detector.parameters(), "binning": "categories"})


def named(name: str, mode: Literal["streaming", "batch"] | None = None) -> type[Any]:
    """The detector of that name, whole or short, in any case, of either mode.

    Raises
    ------
    Invalid
        There is none; those of `mode` with the nearest names are then told.
    """
    known: dict[str, type[Any]] = {cls.__name__: cls for cls in ALL}
    by_plain = {plain(each): each for each in known}
    by_plain |= {short: each for short, each in (SHORT_NAMES | OF_ROWS).items() if each in known}
    full = by_plain.get(plain(name))
    if full is None:
        near = {short: each for short, each in by_plain.items() if mode in (None, known[each].spec.mode)}
        raise Invalid(f"no detector is called {name!r}", hint=_nearest(name, near))
    return known[full]


def _kind(name: str) -> type[BatchDetector]:
    cls = named(name, "batch")
    full = cls.__name__
    if not issubclass(cls, BatchDetector):
        raise Invalid(
            f"{full} reads a stream, value by value; files are compared by batch detectors",
            hint=f"use `kedge drift run --detector {full}`, or a detector that reads windows: {_NAMES_LIST}",
        )
    return cls


def _nearest(name: str, by_plain: Mapping[str, str]) -> str:
    near = get_close_matches(plain(name), by_plain, n=3, cutoff=0.5)
    full = ", ".join(dict.fromkeys(by_plain[each] for each in near))
    return f"did you mean {full}? {_NAMES_LIST}" if full else _NAMES_LIST


def _owners(kinds: Iterable[type[BatchDetector]], whose: str, parameter: str) -> list[type[BatchDetector]]:
    kinds = list(kinds)
    if parameter == "missing":
        raise Invalid(
            "--param missing: rows without a value are told about once for all detectors",
            hint="use --missing",
        )
    if whose:
        kind = _kind(whose)
        if kind not in kinds:
            raise Invalid(f"--param {whose}.{parameter}: {kind.__name__} is not among the detectors")
        kinds = [kind]
    owners = [kind for kind in kinds if parameter in kind.spec.params]
    if not owners:
        has = "; ".join(f"{kind.__name__} has {', '.join(_open(kind))}" for kind in kinds)
        raise Invalid(f"--param {parameter}: no detector here has such a parameter", hint=has)
    return owners


def _open(kind: type[BatchDetector]) -> list[str]:
    return [name for name in kind.spec.params if name != "missing"]
