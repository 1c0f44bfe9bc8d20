"""The conformance suite of drift detectors: checks that every one must pass, for those of Kedge and of others.

With pytest, in a test module of yours::

    @parametrize_with_checks([MyDetector])
    def test_detector(check):
        check()

Without, `check_detector(MyDetector)` runs all and raises AssertionError at the first that fails.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from kedge.drift import BatchDetector, StreamingDetector
from kedge.testing.detector_batch import BATCH
from kedge.testing.detector_cases import Case, Detector
from kedge.testing.detector_streaming import STREAMING
from kedge.testing.detector_structure import STRUCTURE

Check = Callable[[], None]


def yield_checks(detector: Detector | StreamingDetector | BatchDetector) -> Iterator[tuple[str, Check]]:
    """The checks of a class under each of its spec's examples, or of an instance under its parameters.

    Names read `ADWIN(delta=0.1)::reset_is_new`. A check takes nothing and raises AssertionError.
    """
    for case in _cases(detector):
        for check in (*STRUCTURE, *(STREAMING if issubclass(case.cls, StreamingDetector) else BATCH)):
            yield f"{case}::{check.__name__}", partial(check, case)


def expected_failure(detector: Detector | StreamingDetector | BatchDetector, name: str) -> str | None:
    """Why the check of that name is expected to fail, by the detector's spec; None where it must pass."""
    return detector.spec.expected_failures.get(name.rpartition("::")[2])


def check_detector(detector: Detector | StreamingDetector | BatchDetector) -> None:
    """Run every check.

    Raises
    ------
    AssertionError
        A check failed, or one that is expected to fail did not.
    """
    for name, check in yield_checks(detector):
        reason = expected_failure(detector, name)
        if reason is None:
            check()
            continue
        try:
            check()
        except Exception:  # noqa: BLE001, S112 - whatever way it fails, it was expected to
            continue
        raise AssertionError(f"{name} passes: remove it from the expected failures ({reason})")


def parametrize_with_checks(detectors: Iterable[Detector | StreamingDetector | BatchDetector]) -> Any:
    """A pytest decorator: the test runs once for every check, its argument `check`; expected failures are strict."""
    import pytest  # the suite is usable without it

    return pytest.mark.parametrize(
        "check",
        [
            pytest.param(
                check,
                id=name,
                marks=[pytest.mark.xfail(reason=reason, strict=True)]
                if (reason := expected_failure(detector, name))
                else [],
            )
            for detector in detectors
            for name, check in yield_checks(detector)
        ],
    )


def _cases(detector: Detector | StreamingDetector | BatchDetector) -> list[Case]:
    if isinstance(detector, type):
        return [Case(detector, example) for example in detector.spec.examples]
    return [Case(type(detector), detector.parameters())]
