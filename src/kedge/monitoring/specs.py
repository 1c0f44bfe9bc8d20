"""The detectors that a monitor may name, with their parameters, as plain data.

The web process checks definitions with this table, so that it need not import numpy; a test proves it equal to what
`kedge.drift` declares, where the detectors live.
"""

import math
from typing import Any, Literal, NamedTuple

from kedge.core.errors import Invalid

Takes = Literal["numeric", "categorical", "any", "stream"]


class Bounds(NamedTuple):
    """What a parameter may be: an integer or any number in the interval, or one of the choices."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    integer: bool = False
    choices: tuple[str, ...] = ()

    def admits(self, value: Any) -> bool:
        """Whether `value` is one of them; bool and NaN never are."""
        if self.choices:
            return value in self.choices
        if isinstance(value, bool) or not isinstance(value, int if self.integer else (int, float)):
            return False
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below

    def __str__(self) -> str:
        if self.choices:
            return "one of " + ", ".join(self.choices)
        left, right = "(" if self.low_open else "[", ")" if self.high_open else "]"
        return f"{'an integer' if self.integer else 'a number'} in {left}{self.low:g}, {self.high:g}{right}"


class DetectorRule(NamedTuple):
    """What a detector compares or reads, and its parameters."""

    takes: Takes
    params: dict[str, Bounds]


_SHARE = Bounds(0, 1, low_open=True, high_open=True)
_POSITIVE = Bounds(0, math.inf, low_open=True, high_open=True)
_COUNT = Bounds(1, 2**31, integer=True)
_MISSING = Bounds(choices=("raise", "skip"))
_SEED = Bounds(0, 2**32 - 1, integer=True)
_DRAWS = Bounds(0, 1_000_000, integer=True)
_MANY_DRAWS = Bounds(99, 1_000_000, integer=True)
_LEVEL = {"alpha": _SHARE, "missing": _MISSING}
_DRAWN = {"permutations": _MANY_DRAWS, "seed": _SEED, **_LEVEL}
_RANKED = {"method": Bounds(choices=("auto", "exact", "asymptotic", "permutation")), **_DRAWN}
_TABLED = {"method": Bounds(choices=("auto", "asymptotic", "permutation")), **_DRAWN}
_EFFECT = {"threshold": _POSITIVE, "permutations": _DRAWS, "seed": _SEED, **_LEVEL}
_MOVED = {"norm": Bounds(choices=("reference", "none")), **_EFFECT}
_BINNED = {
    "binning": Bounds(choices=("quantile", "width", "pooled", "categories")),
    "bins": Bounds(2, 1000, integer=True),
    **_EFFECT,
}
_FLOORED = {
    "zero": Bounds(choices=("floor", "smooth")),
    "floor": Bounds(0, 0.1, low_open=True),
    "pseudocount": Bounds(0, 100, low_open=True),
    **_BINNED,
}
_ONE_OF_THREE = {"method": Bounds(choices=("auto", "exact", "asymptotic")), **_LEVEL}

DETECTORS: dict[str, DetectorRule] = {
    "KolmogorovSmirnov": DetectorRule("numeric", _ONE_OF_THREE),
    "AndersonDarling": DetectorRule("numeric", _RANKED),
    "BaumgartnerWeissSchindler": DetectorRule("numeric", _RANKED),
    "CramerVonMises": DetectorRule("numeric", _RANKED),
    "Kuiper": DetectorRule("numeric", _RANKED),
    "MannWhitney": DetectorRule("numeric", _RANKED),
    "EppsSingleton": DetectorRule("numeric", _RANKED),
    "Welch": DetectorRule("numeric", _RANKED),
    "EnergyDistance": DetectorRule("numeric", _MOVED),
    "Wasserstein": DetectorRule("numeric", _MOVED),
    "CDBD": DetectorRule(
        "numeric",
        {
            "bins": Bounds(2, 10_000, integer=True),
            "permutations": Bounds(1, 100_000, integer=True),
            "seed": Bounds(0, 2**63, high_open=True, integer=True),
            **_LEVEL,
        },
    ),
    "ChiSquare": DetectorRule("categorical", _TABLED),
    "FisherExact": DetectorRule("categorical", _DRAWN),
    "GTest": DetectorRule("categorical", _TABLED),
    "ProportionsZ": DetectorRule("categorical", _ONE_OF_THREE),
    "PopulationStabilityIndex": DetectorRule(
        "any",
        {
            "threshold": _POSITIVE,
            "binning": Bounds(choices=("quantile", "width", "categories")),
            "bins": Bounds(2, 1000, integer=True),
            "floor": Bounds(0, 0.1, low_open=True),
            "missing": _MISSING,
        },
    ),
    "Bhattacharyya": DetectorRule("any", _FLOORED),
    "Hellinger": DetectorRule("any", _BINNED),
    "JensenShannon": DetectorRule("any", {"base": Bounds(choices=("2", "e")), **_BINNED}),
    "KullbackLeibler": DetectorRule("any", _FLOORED),
    "LInfinity": DetectorRule("any", _BINNED),
    "TotalVariation": DetectorRule("any", _BINNED),
    "PageHinkley": DetectorRule(
        "stream",
        {
            "delta": Bounds(0, 1e150, high_open=True),
            "threshold": _POSITIVE,
            "alpha": Bounds(0, 1, low_open=True),
            "min_instances": _COUNT,
            "direction": Bounds(choices=("up", "down", "both")),
            "missing": _MISSING,
        },
    ),
    "ADWIN": DetectorRule(
        "stream",
        {
            "delta": _SHARE,
            "clock": _COUNT,
            "max_buckets": Bounds(2, 1000, integer=True),
            "min_window_length": _COUNT,
            "grace_period": _COUNT,
            "after_drift": Bounds(choices=("keep_recent", "reset")),
            "preset": Bounds(choices=("kedge", "river")),
            "missing": _MISSING,
        },
    ),
}

SHORT_NAMES = {
    "ks": "KolmogorovSmirnov",
    "ad": "AndersonDarling",
    "bws": "BaumgartnerWeissSchindler",
    "cvm": "CramerVonMises",
    "es": "EppsSingleton",
    "mwu": "MannWhitney",
    "energy": "EnergyDistance",
    "emd": "Wasserstein",
    "chi2": "ChiSquare",
    "fisher": "FisherExact",
    "g": "GTest",
    "z": "ProportionsZ",
    "psi": "PopulationStabilityIndex",
    "js": "JensenShannon",
    "kl": "KullbackLeibler",
    "linf": "LInfinity",
    "tv": "TotalVariation",
    "adwin": "ADWIN",
    "ph": "PageHinkley",
}


def plain(name: str) -> str:
    """A name as it is compared with others: without case, hyphens, underscores and spaces."""
    return name.lower().translate({ord(sign): None for sign in "-_ "})


def full_name(name: str) -> str:
    """The detector's class name, from that name or a short one, in any case; unknown names stay as they are."""
    by_plain = {plain(known): known for known in DETECTORS} | SHORT_NAMES
    return by_plain.get(plain(name), name)


def checked(spec: Any, where: str, *, streaming: bool) -> dict[str, Any]:
    """A detector spec with its full name. Raises Invalid that names what is allowed instead."""
    allowed = [name for name, rule in DETECTORS.items() if (rule.takes == "stream") == streaming]
    if not isinstance(spec, dict) or not isinstance(spec.get("name"), str):
        raise Invalid(
            f"{where}: {spec!r} names no detector",
            hint='write {"name": "..."} with one of ' + ", ".join(allowed),
        )
    name = full_name(spec["name"])
    if name not in allowed:
        raise Invalid(
            f"{where}: detector {spec['name']!r} is not known here", hint=f"use {', '.join(allowed)}"
        )
    bounds = DETECTORS[name].params
    for key, value in spec.items():
        if key == "name":
            continue
        if key not in bounds:
            takes = ", ".join(sorted(bounds)) or "none"
            raise Invalid(f"{where}: {name} has no parameter {key!r}", hint=f"its parameters are {takes}")
        if not bounds[key].admits(value):
            raise Invalid(f"{where}: {name}'s {key} is {value!r}", hint=f"it must be {bounds[key]}")
    if name == "CDBD" and 1 / (spec.get("permutations", 500) + 1) >= spec.get("alpha", 0.05):
        raise Invalid(
            f"{where}: with so few permutations no p-value of CDBD could be below alpha",
            hint="it needs more than 1 / alpha of them; alpha is 0.05 and permutations 500 where none are named",
        )
    return {**spec, "name": name}
