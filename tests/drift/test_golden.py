"""Numbers and states written down: by River and SciPy, and by this library, so that old states stay readable."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kedge.drift import ADWIN, ALL, ChiSquare, KolmogorovSmirnov, PageHinkley, StreamingDetector
from kedge.drift.kernels import adwin, page_hinkley

_HERE = Path(__file__).parent.parent / "golden"
_SPEC = importlib.util.spec_from_file_location("make_drift", _HERE / "make_drift.py")
make_drift = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(make_drift)
GOLDEN = json.loads((_HERE / "drift.json").read_text())


def test_alarms_are_those_written_down() -> None:
    values = make_drift.stream()
    assert ADWIN(preset="river").update_many(values).drifts.tolist() == GOLDEN["ADWIN"]
    assert ADWIN(0.05, clock=1, preset="river").update_many(values).drifts.tolist() == GOLDEN["ADWIN clock 1"]
    assert PageHinkley(threshold=10).update_many(values).drifts.tolist() == GOLDEN["PageHinkley"]
    assert min(len(GOLDEN[name]) for name in ("ADWIN", "ADWIN clock 1", "PageHinkley")) >= 2


@pytest.mark.parametrize("detector", [KolmogorovSmirnov(), ChiSquare(method="asymptotic")])
def test_tests_are_those_written_down(detector) -> None:
    reference, window = make_drift.samples(detector.spec.input)
    result = detector.fit(reference).test(window)
    assert [result.statistic, result.p_value] == pytest.approx(GOLDEN[detector.spec.name], rel=1e-9)


@pytest.mark.parametrize("cls", ALL)
def test_states_written_down_are_read(cls) -> None:
    for state in GOLDEN["states"][cls.__name__].values():
        old, new = cls.from_state(bytes.fromhex(state)), make_drift.trained(cls)
        if issubclass(cls, StreamingDetector):
            rest = make_drift.rows(cls)[700:]
            assert old.update_many(rest).drifts.tolist() == new.update_many(rest).drifts.tolist()
        else:
            window = make_drift.samples(cls.spec.input)[1]
            assert old.test(window) == new.test(window)


def test_states_of_this_version_are_written_as_written_down() -> None:
    for cls in ALL:
        if cls.spec.input == "vector":
            continue  # eigenvectors, cosines and exponentials differ in the last bit from processor to processor
        assert make_drift.trained(cls).state().hex() == GOLDEN["states"][cls.__name__][str(cls.state_version)]


def test_kernels_are_the_same_without_compilation() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(_HERE)!r})\n"
        "import make_drift; from kedge.drift import ADWIN, PageHinkley\n"
        "print(*(make_drift.trained(cls).state().hex() for cls in (ADWIN, PageHinkley)))\n"
        "one = PageHinkley(); print([one.update(x) for x in (0.5, 1, 2.5)] and one.state().hex())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
    )
    assert done.returncode == 0, done.stderr
    one = PageHinkley()
    one.update_many([0.5, 1.0, 2.5])
    trained = [make_drift.trained(cls).state().hex() for cls in (ADWIN, PageHinkley)]
    assert done.stdout.split() == [*trained, one.state().hex()]


def test_kernels_are_compiled_once() -> None:
    for cls, kernel in ((ADWIN, adwin.adwin), (PageHinkley, page_hinkley.page_hinkley)):
        detector = cls()
        detector.update(1)
        detector.update(np.float32(1))
        detector.update_many([1, 2])
        detector.update_many(np.ones(4, np.float32)[::2])
        cls(delta=0.1).update_many(np.ones(3, bool))
        cls().update_many(np.frombuffer(np.ones(3).tobytes()))  # read-only
        cls.from_state(detector.state()).update(1)
        assert len(kernel.signatures) == 1
