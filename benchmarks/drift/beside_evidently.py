"""`python -m benchmarks.drift.beside_evidently ROUNDS ROWS COLUMNS`: Evidently's preset and `test_columns` in one process.

It runs in Evidently's environment, which needs an older pandas than Kedge's other tools.
"""

import json
import sys
import warnings
from importlib.metadata import version

from benchmarks.drift.samples import tables
from benchmarks.drift.timing import Comparison, alternated, record
from kedge.drift import BatchDetector, KolmogorovSmirnov, test_columns

METHODS: tuple[tuple[str, str | None, BatchDetector | None], ...] = (
    ("default", None, None),
    ("ks", "ks", KolmogorovSmirnov()),
)
SHORT = 2_000
"""Rows of Evidently's uncounted round, which would take as long as another."""


def compared(rounds: int, rows: int, columns: int) -> list[Comparison]:
    """The preset as it comes, and with Kolmogorov-Smirnov for every column."""
    import pandas as pd
    from evidently import Report
    from evidently.presets import DataDriftPreset

    before, after = tables(rows, columns)
    frames = [pd.DataFrame(each).add_prefix("c") for each in (before, after)]
    found = []
    for key, method, detector in METHODS:

        def theirs(most: int, method: str | None = method) -> object:
            # Copies, for some of Evidently's tests drop rows in the frames that they are given.
            reference, current = (frame.head(most).copy() for frame in frames)
            preset = DataDriftPreset() if method is None else DataDriftPreset(method=method)
            return Report([preset]).run(current, reference)

        def ours(most: int, detector: BatchDetector | None = detector) -> object:
            return test_columns(before[:most], after[:most], detectors=detector)

        seconds = alternated(
            rounds,
            {"ours": lambda: ours(rows), "theirs": lambda: theirs(rows)},
            {"ours": lambda: ours(rows), "theirs": lambda: theirs(SHORT)},
        )
        test = "the default test" if method is None else "Kolmogorov-Smirnov"
        title = f"{test} of every column, {rows:,} x {columns} against as many"
        found.append(Comparison(key=f"evidently/{key}", title=title, rival="Evidently", **seconds))
    return found


def main() -> None:
    """Measure and print as JSON."""
    warnings.simplefilter("ignore")
    rounds, rows, columns = (int(each) for each in sys.argv[1:4])
    found = [record(each) for each in compared(rounds, rows, columns)]
    versions = {name: version(name) for name in ("evidently", "numpy", "pandas", "scipy")}
    print(json.dumps({"versions": versions, "found": found}))


if __name__ == "__main__":
    main()
