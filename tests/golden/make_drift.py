"""Write tests/golden/drift.json from River and SciPy (numbers) and from Kedge itself (states of this format version).

Run `.venv/bin/python tests/golden/make_drift.py`. States that are in the file are kept: a changed
format is a new version.
"""

import importlib.metadata
import json
from pathlib import Path

import numpy as np

from kedge.drift import ALL, StreamingDetector

FILE = Path(__file__).with_name("drift.json")


def stream() -> np.ndarray:
    """Three levels of an arithmetic sequence: the same numbers whatever the version of NumPy."""
    noise = (np.arange(1500) * 7919 % 1009) / 1009 - 0.5
    return noise + np.repeat([0.0, 1.0, -0.5], 500)


def samples(takes: str) -> tuple[list, list]:
    values = stream()
    if takes in ("vector", "probabilities", "labelled"):
        rows = values[:360].reshape(-1, 3) + np.where(np.arange(120) < 70, 0, 0.2)[:, None]
        if takes == "probabilities":
            rows = np.abs(rows) / np.abs(rows).sum(axis=1, keepdims=True)
        if takes == "labelled":
            rows = np.column_stack([rows, rows[:, 0] > 0])
        return rows[:70].tolist(), rows[70:].tolist()
    reference, window = values[:400], values[400:700]
    if takes == "categorical":
        return [f"c{int(v * 4)}" for v in reference], [f"c{int(v * 4)}" for v in window]
    return reference.tolist(), window.tolist()


def rows(cls) -> np.ndarray:
    """The stream as the detector takes it."""
    if cls.spec.input == "binary":
        return (stream() > 0.2).astype(float)
    if cls.spec.input == "outcome":
        return 2.0 * (stream() > 0.2) + (stream()[::-1] > 0.2)
    return np.stack([stream(), stream()[::-1]], axis=1) if cls.spec.input == "vector" else stream()


def trained(cls) -> StreamingDetector:
    detector = cls()
    if issubclass(cls, StreamingDetector):
        detector.update_many(rows(cls)[:700])
        return detector
    return detector.fit(samples(cls.spec.input)[0])


def _alarms(detector) -> list[int]:
    found = []
    for i, value in enumerate(stream()):
        detector.update(float(value))
        if detector.drift_detected:
            found.append(i)
    return found


def main() -> None:
    from river import drift as river  # slow to import, and the tests use only what stands above
    from scipy import stats

    known = json.loads(FILE.read_text()) if FILE.exists() else {"states": {}}
    ks = stats.ks_2samp(*samples("real"))
    before, after = (np.array(each) for each in samples("categorical"))
    names = sorted({*before, *after})
    table = np.array([[(each == name).sum() for name in names] for each in (before, after)])
    chi2 = stats.chi2_contingency(table, correction=False)
    states = known["states"]
    for cls in ALL:
        states.setdefault(cls.__name__, {}).setdefault(str(cls.state_version), trained(cls).state().hex())
    golden = {
        "made_by": "tests/golden/make_drift.py",
        "versions": {name: importlib.metadata.version(name) for name in ("river", "scipy", "numpy", "numba")},
        "ADWIN": _alarms(river.ADWIN()),
        "ADWIN clock 1": _alarms(river.ADWIN(clock=1, delta=0.05)),
        "PageHinkley": _alarms(river.PageHinkley(threshold=10)),
        "KolmogorovSmirnov": [float(ks.statistic), float(ks.pvalue)],
        "ChiSquare": [float(chi2.statistic), float(chi2.pvalue)],
        "states": states,
    }
    FILE.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
