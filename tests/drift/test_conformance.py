"""Every public detector holds the shipped checks, none escapes them, and the checks do find what they are for."""

import dataclasses
import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import kedge.drift
from kedge.drift import ADWIN, ALL, BatchDetector, KolmogorovSmirnov, PageHinkley, StreamingDetector
from kedge.testing.detectors import check_detector, parametrize_with_checks, yield_checks


def _is_quick(detector) -> bool:
    """Whether it draws no permutations, simulates nothing and trains nothing."""
    drawn = {"permutations", "simulations", "bootstraps"} & set(detector.spec.params)
    return not drawn and detector.spec.input in ("real", "binary", "categorical")


FIRST = [cls(**cls.spec.examples[0]) for cls in ALL]
QUICK = [each for each in FIRST if _is_quick(each)]
OTHERS = [each for each in FIRST if not _is_quick(each)]
OTHERS += [cls(**example) for cls in ALL for example in cls.spec.examples[1:]]


@parametrize_with_checks(QUICK)
def test_detector(check) -> None:
    check()


@pytest.mark.slow
@parametrize_with_checks(OTHERS)
def test_detector_with_other_parameters(check) -> None:
    check()


def test_every_example_is_checked() -> None:
    assert len(QUICK) + len(OTHERS) == sum(len(cls.spec.examples) for cls in ALL)
    assert len(QUICK) > 18


def test_an_instance_is_checked_under_its_parameters() -> None:
    names = [name for name, _ in yield_checks(ADWIN(delta=0.01))]
    assert all(name.startswith("ADWIN(delta=0.01, clock=32") for name in names)
    check_detector(KolmogorovSmirnov(alpha=0.01))


def test_no_public_detector_escapes() -> None:
    found = {
        cls
        for _, name, _ in pkgutil.walk_packages(kedge.drift.__path__, "kedge.drift.")
        for cls in vars(importlib.import_module(name)).values()
        if inspect.isclass(cls)
        and issubclass(cls, StreamingDetector | BatchDetector)
        and not inspect.isabstract(cls)
    }
    assert found == set(ALL)
    assert len(ALL) == len(found), "one is listed twice"
    assert {cls.__name__ for cls in ALL} <= set(kedge.drift.__all__)


def test_detectors_are_listed_by_kind_and_name() -> None:
    """Streaming ones, ensembles, batch ones."""
    kinds = ("streaming", "ensemble", "batch")
    places = [(kinds.index(cls.__module__.split(".")[2]), cls.__name__.casefold()) for cls in ALL]
    assert places == sorted(places)


def test_all_names_exist_and_none_is_left_out() -> None:
    assert len(set(kedge.drift.__all__)) == len(kedge.drift.__all__)  # their order is the linter's
    public = {
        name
        for name, value in vars(kedge.drift).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public == set(kedge.drift.__all__)


class Forgetful(PageHinkley):
    """Keeps something outside its state."""

    def _run(self, xs, flags, statistics) -> None:
        self.seen = getattr(self, "seen", 0) + xs.size
        super()._run(xs, flags, statistics)
        if self.seen > 1500:
            flags[:] = 0


class Numpyish(KolmogorovSmirnov):
    """Answers with numpy's kinds of numbers."""

    def _test(self, window):
        result = super()._test(window)
        object.__setattr__(result, "drift", np.bool_(result.drift))
        return result


class Silent(PageHinkley):
    """Never alarms."""

    def _run(self, xs, flags, statistics) -> None:
        super()._run(xs, flags, statistics)
        flags[:] = 0


class Backwards(PageHinkley):
    """Says that it alarms more rarely the smaller its threshold."""

    spec = dataclasses.replace(PageHinkley.spec, name="Backwards", stricter="smaller")


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (Forgetful, "any_cut_gives_the_same"),
        (Forgetful, "a_resumed_detector_is_the_uninterrupted"),
        (Numpyish, "results_are_plain_values"),
        (Silent, "a_clear_shift_is_found_in_its_direction_only"),
        (Silent, "the_spec_is_its_class"),
        (Backwards, "a_stricter_threshold_alarms_no_more_often"),
    ],
)
def test_the_checks_find_what_they_are_for(broken, check) -> None:
    run = next(run for name, run in yield_checks(broken) if name.endswith(f"::{check}"))
    with pytest.raises(AssertionError):
        run()
    with pytest.raises(AssertionError):
        check_detector(broken)
