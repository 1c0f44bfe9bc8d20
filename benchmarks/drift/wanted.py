"""What is wanted of each measurement: the numbers that the drift library was built to reach."""

import dataclasses
import statistics

from benchmarks.drift.timing import Comparison, Quantity, short


@dataclasses.dataclass(frozen=True)
class Wanted:
    """For keys that begin with `prefix`: a ratio or quantity of at least, or at most, so much."""

    prefix: str
    at_least: float | None = None
    at_most: float | None = None


# The first that fits counts.
WANTED = (
    Wanted("river/adwin-32", at_least=5),
    Wanted("river/adwin-1", at_least=1.2),
    Wanted("river/kswin", at_least=15),
    Wanted("river/", at_least=40),
    Wanted("frouros/iks", at_least=100),
    Wanted("frouros/bocd", at_least=50),
    Wanted("frouros/", at_least=200),
    Wanted("one/", at_least=1),
    Wanted("alibi/", at_least=50),
    Wanted("evidently/", at_least=5),
    Wanted("scipy/threads", at_least=2),
    Wanted("scipy/one", at_least=2),
    Wanted("threads/", at_least=1.8),
    Wanted("mmd/fixed/seconds", at_most=60),
    Wanted("mmd/median/seconds", at_most=60),
    Wanted("mmd/fixed/mib", at_most=2048),
    Wanted("mmd/median/mib", at_most=2048),
    Wanted("import", at_most=0.5),
    Wanted("bocd/exact", at_most=1e-9),
)


def judged(found: Comparison | Quantity) -> tuple[str, str]:
    """What is wanted, and whether the median is that: "yes", "no", or "-" where nothing is."""
    wanted = next((each for each in WANTED if found.key.startswith(each.prefix)), None)
    if wanted is None:
        return "-", "-"
    if isinstance(found, Comparison):
        value, unit = found.ratio, "x"
    else:
        value, unit = statistics.median(found.found), f" {found.unit}".rstrip()
    if wanted.at_least is not None:
        return f">= {short(wanted.at_least)}{unit}", "yes" if value >= wanted.at_least else "no"
    assert wanted.at_most is not None
    return f"<= {short(wanted.at_most)}{unit}", "yes" if value <= wanted.at_most else "no"
