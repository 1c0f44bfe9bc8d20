"""Mean run lengths to an alarm, and how sure they are."""

import math


def mean_run_length(time: int, alarms: int) -> float:
    """Mean time to an alarm where some streams ended without: all time over all alarms."""
    return time / alarms if alarms else 2.0 * time


def exponential_interval(time: int, alarms: int) -> tuple[float, float]:
    """Between what the mean lies with 95 % confidence, where run lengths are exponential."""
    from scipy import stats  # half a second to import, and only intervals need it

    low = 2 * time / stats.chi2.ppf(0.975, 2 * alarms + 2)
    return float(low), float(2 * time / stats.chi2.ppf(0.025, 2 * alarms)) if alarms else math.inf


def binomial_interval(runs: int, alarms: int) -> tuple[float, float]:
    """Between what the mean lies with 95 % confidence, where windows alarm independently (Clopper and Pearson 1934)."""
    from scipy import stats

    most = stats.beta.ppf(0.975, alarms + 1, runs - alarms) if alarms < runs else 1.0
    least = stats.beta.ppf(0.025, alarms, runs - alarms + 1) if alarms else 0.0
    return float(1 / most), float(1 / least) if least else math.inf
