"""Every public detector holds the shipped checks, and none escapes them."""

import inspect

import pytest

import kedge.drift
from kedge.drift import ALL, BatchDetector, StreamingDetector
from kedge.testing.detectors import yield_checks

CASES = [
    pytest.param(check, id=f"{cls.__name__}::{name}") for cls in ALL for name, check in yield_checks(cls)
]


@pytest.mark.parametrize("check", CASES)
def test_check(check) -> None:
    check()


def test_no_public_detector_escapes() -> None:
    public = {
        cls
        for name in kedge.drift.__all__
        if inspect.isclass(cls := getattr(kedge.drift, name))
        and issubclass(cls, StreamingDetector | BatchDetector)
        and not inspect.isabstract(cls)
    }
    assert public == set(ALL)


def test_all_names_exist() -> None:
    assert sorted(kedge.drift.__all__) == kedge.drift.__all__
    for name in kedge.drift.__all__:
        assert hasattr(kedge.drift, name)
