"""Write tests/golden/univariate.json: distances and tests as Evidently and Frouros give them.

Neither installs beside the rest. Run once with the Python of an environment of each, from the root:
`PYTHON tests/golden/make_univariate.py evidently` (evidently 0.7.23, pandas below 3) and `... frouros` (frouros 0.9.0).

Left out, for they are not what their names say: Frouros's Kuiper (its statistic is Kolmogorov-Smirnov's), Evidently's
Mann-Whitney (one-sided), t (Student's, of equal variances), G (takes the reference for the true shares), total
variation (a p-value by random numbers, not the distance) and numeric Hellinger
(bins counted on the distinct values).
"""

import importlib.metadata
import json
import sys
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("univariate.json")


def numbers() -> tuple[np.ndarray, np.ndarray]:
    """Two arithmetic sequences: the same numbers whatever the version of NumPy."""
    noise = (np.arange(700) * 7919 % 1009) / 1009
    return noise[:400] ** 2, 0.1 + 1.1 * noise[400:] ** 2


def names() -> tuple[list[str], list[str]]:
    first, second = numbers()
    return [f"c{int(4 * each)}" for each in first], [f"c{int(4 * each)}" for each in second]


def flags() -> tuple[np.ndarray, np.ndarray]:
    first, second = numbers()
    return (first[:300] < 0.25).astype(int), (second < 0.25).astype(int)


def by_evidently() -> dict[str, float]:
    import pandas as pd
    from evidently.legacy.calculations import stattests
    from evidently.legacy.core import ColumnType

    def found(test, samples, kind) -> float:
        first, second = (pd.Series(each) for each in samples)
        return float(test.func(first, second, kind, 0.1)[0])

    category, number = ColumnType.Categorical, ColumnType.Numerical
    return {
        "Hellinger": found(stattests.hellinger_stat_test, names(), category),
        "JensenShannon": found(stattests.jensenshannon_stat_test, names(), category),
        "KullbackLeibler": found(stattests.kl_div_stat_test, names(), category),
        "Wasserstein": found(stattests.wasserstein_stat_test, numbers(), number),
        "EnergyDistance": found(stattests.energy_dist_test, numbers(), number),
        "EppsSingleton": found(stattests.epps_singleton_test, numbers(), number),
        "CramerVonMises": found(stattests.cramer_von_mises, numbers(), number),
        "ProportionsZ": found(stattests.z_stat_test, flags(), category),
        "FisherExact": found(stattests.fisher_exact_test, flags(), category),
    }


def by_frouros() -> dict[str, float]:
    from frouros.detectors import data_drift

    def found(detector) -> float:
        first, second = numbers()
        detector.fit(X=first)
        return float(detector.compare(X=second)[0].distance)

    def statistic(detector) -> float:
        first, second = numbers()
        detector.fit(X=first)
        return float(detector.compare(X=second)[0].statistic)

    return {
        "Hellinger": found(data_drift.HellingerDistance()),
        "Bhattacharyya": found(data_drift.BhattacharyyaDistance()),
        "Wasserstein": found(data_drift.EMD()),
        "EnergyDistance": found(data_drift.EnergyDistance()),
        "CramerVonMises": statistic(data_drift.CVMTest()),
        "Welch": statistic(data_drift.WelchTTest()),
        "MannWhitney": statistic(data_drift.MannWhitneyUTest()),
    }


def main() -> None:
    library = sys.argv[1]
    known = json.loads(FILE.read_text()) if FILE.exists() else {"made_by": "tests/golden/make_univariate.py"}
    known[library] = {
        "version": importlib.metadata.version(library),
        "scipy": importlib.metadata.version("scipy"),
        "values": by_evidently() if library == "evidently" else by_frouros(),
    }
    FILE.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
