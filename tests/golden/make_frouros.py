"""Write tests/golden/frouros.json: where Frouros alarms, and its statistics, on the streams of streams.py.

Run `python -m tests.golden.make_frouros` at the root with a Python that has frouros 0.9.0, apart from Kedge's own
environment. Its detectors are reset after every alarm, as its caller has to.
"""

import importlib.metadata
import json
from pathlib import Path

import numpy as np
from tests.golden import streams

FILE = Path(__file__).with_name("frouros.json")

CUSUMS = ((0.005, 30.0, 30), (0.5, 8.0, 100))
AVERAGES = ((0.99, 0.3, 30), (0.9, 1.0, 60))
RDDMS = ((1.773, 2.258, 129, 40000, 7000, 1400), (1.5, 3.0, 40, 40000, 300, 60))
BOCDS = ((0.01, 1.0, 1.0), (0.002, 4.0, 0.25))
"""Hazard, variance of the prior, variance of the data."""

BOCD_VALUES, KOLMOGOROV_VALUES, REFERENCE, WINDOW = 240, 300, 200, 50


def alarms(detector, values: np.ndarray) -> list[int]:
    found = []
    for place, value in enumerate(values.tolist()):
        detector.update(value=value)
        if detector.drift:
            found.append(place)
            detector.reset()
    return found


def warnings_and_alarms(detector, values: np.ndarray) -> list:
    warnings, drifts = [], []
    for place, value in enumerate(values.tolist()):
        detector.update(value=value)
        if detector.drift:
            drifts.append(place)
            detector.reset()
        elif detector.warning:
            warnings.append(place)
    return [streams.digest(warnings), drifts]


def until_alarm(detector, values: np.ndarray) -> list:
    """Warnings up to the first alarm, and the alarm: what follows one is not the paper's (docs/design/drift.md)."""
    warnings = []
    for place, value in enumerate(values.tolist()):
        detector.update(value=value)
        if detector.drift:
            return [streams.digest(warnings), [place]]
        if detector.warning:
            warnings.append(place)
    return [streams.digest(warnings), []]


def runs(lengths: list[int]) -> list[list[int]]:
    """(place, length) where a length is not the one before and one more."""
    return [
        [place, length]
        for place, (before, length) in enumerate(zip([-1, *lengths], lengths, strict=False))
        if length != before + 1
    ]


def posteriors(detector, values: np.ndarray) -> dict:
    """The likeliest run at every value, and of every twentieth the chance of no change since the beginning."""
    likeliest, unchanged = [], []
    for place, value in enumerate(values.tolist()):
        detector.update(value=value)
        row = detector.log_r[place + 1]
        likeliest.append(int(row.argmax()))
        if place % 20 == 19:
            unchanged.append(float(f"{np.exp(row[place + 1]):.9g}"))
    return {"likeliest": runs(likeliest), "unchanged": unchanged}


def gaps(detector, reference: np.ndarray, values: np.ndarray) -> str:
    """The Kolmogorov-Smirnov statistic of every full window, in steps of 1 / REFERENCE: two hexadecimal digits each."""
    detector.fit(X=reference)
    found = []
    for value in values.tolist():
        result, _ = detector.update(value=value)
        if result is not None:
            step = float(result.statistic) * REFERENCE
            assert abs(step - round(step)) < 1e-9
            found.append(f"{round(step):02x}")
    return "".join(found)


def main() -> None:
    from frouros.detectors import (
        concept_drift as there,
    )  # not where the tests, which use what stands above, are run
    from frouros.detectors.concept_drift.streaming.change_detection.bocd import GaussianUnknownMean
    from frouros.detectors.data_drift import IncrementalKSTest

    def cusum(delta, threshold, least):
        return there.CUSUM(there.CUSUMConfig(delta=delta, lambda_=threshold, min_num_instances=least))

    def average(alpha, threshold, least):
        config = there.GeometricMovingAverageConfig(alpha=alpha, lambda_=threshold, min_num_instances=least)
        return there.GeometricMovingAverage(config)

    def rddm(warn, drift, least, longest, kept, warnings):
        config = there.RDDMConfig(warn, drift, longest, kept, warnings, least)
        return there.RDDM(config)

    def bocd(hazard, prior, variance):
        model = GaussianUnknownMean(prior_mean=0, prior_var=prior, data_var=variance)
        return there.BOCD(there.BOCDConfig(model=model, hazard=hazard, min_num_instances=1))

    def ecdd():
        config = there.ECDDWTConfig(lambda_=0.2, average_run_length=400, min_num_instances=30)
        return there.ECDDWT(config)

    numbers, answers = streams.reals(), streams.errors()
    found = {
        "CUSUM": [{s: alarms(cusum(*each), xs) for s, xs in numbers.items()} for each in CUSUMS],
        "GeometricMovingAverage": [
            {s: alarms(average(*each), xs) for s, xs in numbers.items()} for each in AVERAGES
        ],
        "ECDDWT": [{s: warnings_and_alarms(ecdd(), xs) for s, xs in answers.items()}],
        "RDDM": [{s: until_alarm(rddm(*each), xs) for s, xs in answers.items()} for each in RDDMS],
        "BOCD": [
            {s: posteriors(bocd(*each), xs) for s, xs in streams.reals(BOCD_VALUES).items()} for each in BOCDS
        ],
        "IncrementalKolmogorovSmirnov": [
            {
                s: gaps(IncrementalKSTest(WINDOW), xs[:REFERENCE], xs[REFERENCE:])
                for s, xs in streams.reals(REFERENCE + KOLMOGOROV_VALUES).items()
            }
        ],
    }
    versions = {name: importlib.metadata.version(name) for name in ("frouros", "numpy")}
    golden = {"made_by": "tests/golden/make_frouros.py", "versions": versions, **found}
    FILE.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
