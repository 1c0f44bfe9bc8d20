"""What people give to batch detectors: frames, masked arrays, text, dates, identifiers; never a silent nonsense verdict."""

import itertools

import numpy as np
import pandas as pd
import pytest

from kedge.drift import (
    ADWIN,
    LSDD,
    MMD,
    NNDVI,
    ChiSquare,
    DataError,
    EnergyDistance,
    KdqTree,
    KolmogorovSmirnov,
    ParameterError,
    Wasserstein,
    test_columns,
)

MASKED = np.ma.array(
    np.r_[np.random.default_rng(7).normal(size=100), np.full(100, 9999.0)], mask=[False] * 100 + [True] * 100
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("cls", [KolmogorovSmirnov, MMD])
def test_what_is_masked_is_missing(cls, rng) -> None:
    shaped = (lambda x: x[:, np.newaxis]) if cls is MMD else (lambda x: x)
    reference = shaped(rng.normal(size=200))
    with pytest.raises(DataError, match="nan"):
        cls().fit(reference).test(shaped(MASKED))
    found = cls(missing="skip").fit(reference).test(shaped(MASKED))
    assert (found.n, found.drift) == (100, False)


def test_columns_heed_masks_too(rng) -> None:
    found = test_columns({"a": rng.normal(size=200)}, {"a": MASKED}, missing="skip")
    assert found.columns[0].result.n == 100


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["1", "2"] * 20, "got text"),
        (np.array(["1", "2"] * 20, object), "got '1'"),
        (pd.Series(pd.date_range("2020", periods=40)), "got dates"),
        (np.ones(40, complex), "got complex numbers"),
        ([10**400] * 40, "real numbers"),
    ],
)
def test_what_is_no_number_is_refused(values, said) -> None:
    with pytest.raises(DataError, match=said):
        KolmogorovSmirnov().fit(values)
    with pytest.raises(DataError, match=said):
        MMD().fit(np.asarray(values)[:, np.newaxis])


def test_pandas_marks_of_missing_values() -> None:
    names = pd.Series(["a", "b", pd.NA] * 30, dtype="string")
    assert ChiSquare(missing="skip").fit(names).test(names).n == 60
    numbers = pd.Series([1.5, pd.NA, 2.5] * 30, dtype="Float64")
    assert KolmogorovSmirnov(missing="skip").fit(numbers).test(numbers).n == 60


def test_frames_are_compared_by_the_names_of_their_columns(rng) -> None:
    frame = pd.DataFrame(rng.normal([0, 5], 1, (300, 2)), columns=["x", "y"])
    detector = MMD().fit(frame)
    assert detector.test(frame[["y", "x"]].sample(200, random_state=1)).drift is False
    assert MMD.from_state(detector.state()).test(frame[["y", "x"]]) == detector.test(frame)
    with pytest.raises(DataError, match="columns x, z are not the reference's x, y"):
        detector.test(frame.rename(columns={"y": "z"}))
    assert detector.test(frame.to_numpy()) == detector.test(frame)


def test_numbers_beside_text_are_no_categories(rng) -> None:
    numbers, text = rng.normal(size=400), rng.normal(100, 1, 300).astype(str)
    with pytest.raises(DataError, match="'n': the reference holds numbers, the window text"):
        test_columns({"n": numbers}, {"n": text})


def test_continuous_numbers_are_no_categories(rng) -> None:
    with pytest.raises(DataError, match="300 different numbers among 300"):
        ChiSquare().fit(rng.normal(size=300))


def test_few_rows_are_still_compared(rng) -> None:
    found = KdqTree().fit(rng.normal(size=(60, 3))).test(rng.normal(50, 1, (38, 3)))
    assert found.drift
    for cls, seed in itertools.product((LSDD, NNDVI), range(20)):
        same = cls(seed=seed).fit(np.ones((50, 4))).test(np.ones((40, 4)))
        assert (same.drift, same.p_value) == (False, 1.0)


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e-100, 1e100, 1e200, 1e300])
@pytest.mark.parametrize("cls", [Wasserstein, EnergyDistance])
def test_distances_at_any_scale(cls, scale) -> None:
    rng = np.random.default_rng(1)
    one, other = rng.normal(0, 1, 200), rng.normal(1, 1, 200)
    plain = cls().fit(one).test(other).statistic
    assert cls().fit(one * scale).test(other * scale).statistic == pytest.approx(plain, rel=1e-6)


def test_arguments_may_be_numbers_of_numpy() -> None:
    detector = ADWIN(delta=np.float32(0.5), clock=np.int64(8))
    assert repr(detector) == repr(ADWIN(delta=0.5, clock=8))
    assert type(KolmogorovSmirnov(alpha=np.float64(0.01)).alpha) is float
    with pytest.raises(ParameterError, match=r"int in \[1, 2147483648\]"):
        ADWIN(clock=10**400)
    with pytest.raises(ParameterError, match="correction must be None or a function"):
        test_columns({"a": [1.0, 2]}, {"a": [1.0, 2]}, correction="holm")
    assert MMD(alpha=0.001, estimate="linear").permutations == 100
