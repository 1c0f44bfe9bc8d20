"""Many columns at once: the detectors chosen, the columns matched, the correction over them, the same as one by one."""

import math

import numpy as np
import pytest

from kedge.drift import (
    ALL,
    BatchDetector,
    ChiSquare,
    DataError,
    KolmogorovSmirnov,
    MannWhitney,
    ParameterError,
    PopulationStabilityIndex,
    TotalVariation,
    Wasserstein,
    Welch,
    bonferroni,
    test_columns,
)

NUMERIC = [cls for cls in ALL if issubclass(cls, BatchDetector) and cls.spec.input == "real"]


def _tables(n: int = 300, shift: float = 0.5):
    rng = np.random.default_rng(4)
    return (
        {"a": rng.normal(0, 1, n), "b": rng.normal(0, 1, n), "c": rng.choice(list("xyz"), n)},
        {"a": rng.normal(shift, 1, n), "b": rng.normal(0, 1, n), "c": rng.choice(list("xyz"), n)},
    )


def test_detectors_are_chosen_by_kind_and_size() -> None:
    rng = np.random.default_rng(1)
    columns = {
        "real": rng.normal(size=20_000),
        "few": rng.integers(0, 20, 20_000),
        "many": rng.integers(0, 21, 20_000),
        "flag": rng.random(20_000) < 0.5,
        "text": rng.choice(["u", "v"], 20_000),
        "object": rng.normal(size=20_000).astype(object),
        "mixed": np.array([1, "a"] * 10_000, dtype=object),
    }
    for n, numbers, names in (
        (10_000, "KolmogorovSmirnov", "ChiSquare"),
        (20_000, "Wasserstein", "JensenShannon"),
    ):
        found = test_columns({name: each[:n] for name, each in columns.items()}, columns)
        chosen = {each.column: each.result.detector for each in found.columns}
        assert list(chosen) == list(columns)
        assert {chosen[name] for name in ("real", "many", "object")} == {numbers}
        assert {chosen[name] for name in ("few", "flag", "text", "mixed")} == {names}


@pytest.mark.parametrize("missing", ["raise", "skip"])
def test_results_are_those_of_the_detectors_alone(missing) -> None:
    reference, window = _tables()
    if missing == "skip":
        reference["a"][3] = window["a"][5] = math.nan
    patterns = [cls(missing=missing) for cls in NUMERIC]
    names = ["a", "b"]
    found = test_columns(
        {name: reference[name] for name in names}, {name: window[name] for name in names}, detectors=patterns
    )
    expected = [(name, each.fit(reference[name]).test(window[name])) for name in names for each in patterns]
    assert [(each.column, each.result) for each in found.columns] == expected


def test_threads_change_nothing() -> None:
    reference, window = (rng_table for rng_table in np.random.default_rng(2).normal(size=(2, 500, 9)))
    detectors = [KolmogorovSmirnov(), Wasserstein(permutations=99), TotalVariation()]
    one, four = (test_columns(reference, window, detectors=detectors, threads=threads) for threads in (1, 4))
    assert one == four
    assert [each.column for each in one.columns[::3]] == [str(place) for place in range(9)]


def test_patterns_stay_as_they_are() -> None:
    reference, window = _tables()
    pattern = PopulationStabilityIndex().fit(np.arange(50.0))
    state = pattern.state()
    test_columns({"a": reference["a"]}, {"a": window["a"]}, detectors=pattern)
    assert pattern.state() == state


def test_the_correction_is_over_columns_detector_by_detector() -> None:
    rng = np.random.default_rng(8)
    reference, window = rng.normal(0, 1, (200, 40)), rng.normal(0.1, 1, (150, 40))
    detectors = [MannWhitney(alpha=0.2), Welch(alpha=0.2), Wasserstein()]
    found = test_columns(reference, window, detectors=detectors, correction=bonferroni, alpha=0.3)
    assert (found.correction, found.alpha) == ("bonferroni", 0.3)
    for place in (0, 1):
        p_values = [each.result.p_value for each in found.columns[place::3]]
        flags = [each.drift for each in found.columns[place::3]]
        assert flags == bonferroni(p_values, 0.3).tolist()
        assert flags != [each.result.drift for each in found.columns[place::3]]
    assert all(each.drift is each.result.drift for each in found.columns[2::3])
    plain = test_columns(reference, window, detectors=detectors, correction=None)
    assert plain.correction == "none"
    assert all(each.drift is each.result.drift for each in plain.columns)


def test_share_and_names_of_what_drifted() -> None:
    reference, window = _tables()
    found = test_columns(reference, window, detectors={"a": [KolmogorovSmirnov(), Welch()]})
    assert found.drifted == ("a",)
    assert found.share == pytest.approx(1 / 3)
    assert [each.result.detector for each in found.columns] == [
        "KolmogorovSmirnov",
        "Welch",
        "KolmogorovSmirnov",
        "ChiSquare",
    ]


def test_no_false_alarms_over_many_columns() -> None:
    rng = np.random.default_rng(3)
    alarms = [bool(test_columns(*rng.normal(size=(2, 150, 30))).drifted) for _ in range(40)]
    assert sum(alarms) <= 7  # 0.9999 quantile of 40 at 5 %


def test_columns_that_do_not_match_are_named() -> None:
    reference, window = _tables()
    window["d"] = window.pop("b")
    with pytest.raises(
        DataError, match=r"the window lacks: \['b'\]; columns that only the window has: \['d'\]"
    ):
        test_columns(reference, window)
    with pytest.raises(DataError, match=r"lacks: \['2'\]"):
        test_columns(np.ones((5, 3)), np.ones((5, 2)))
    with pytest.raises(DataError, match=r"there are not: \['z'\]"):
        test_columns(reference, reference, detectors={"z": ChiSquare()})


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ([], "is empty"),
        ([math.nan] * 5, "holds nan"),
        (np.ones((5, 2)), "must have shape"),
        (3.0, "must have shape"),
        ([object()] * 5, "real numbers"),
        (np.array(["2020-01-01"] * 5, "M8[D]"), "real numbers"),
    ],
)
def test_a_column_that_cannot_be_compared_is_named(column, words) -> None:
    with pytest.raises(DataError, match=f"column 'bad': .*{words}"):
        test_columns({"good": np.arange(5.0), "bad": column}, {"good": np.arange(5.0), "bad": np.arange(5.0)})
    with pytest.raises(DataError, match=f"column 'bad': .*{words}"):
        test_columns({"good": np.arange(5.0), "bad": np.arange(5.0)}, {"good": np.arange(5.0), "bad": column})


def test_missing_values_of_default_columns_can_be_skipped() -> None:
    reference = {"n": [*range(50), None, math.nan], "t": ["a", None, "b"] * 9}
    found = test_columns(reference, reference, missing="skip")
    assert [each.result.n for each in found.columns] == [50, 18]
    with pytest.raises(DataError, match="column 'n'"):
        test_columns(reference, reference)


def test_arguments_out_of_range_are_named() -> None:
    table = np.ones((5, 2))
    for name, value in (
        ("alpha", 0.0),
        ("alpha", math.nan),
        ("threads", -1),
        ("threads", 1.5),
        ("missing", "drop"),
        ("detectors", []),
        ("detectors", KolmogorovSmirnov),
        ("detectors", ["KolmogorovSmirnov"]),
    ):
        with pytest.raises(ParameterError, match=name):
            test_columns(table, table, **{name: value})
    for bad in ({}, np.ones(5), np.ones((2, 2, 2)), 3.0, np.ones((5, 0))):
        with pytest.raises(DataError):
            test_columns(bad, bad)


def test_frames_of_pandas_are_mappings() -> None:
    pandas = pytest.importorskip("pandas")
    reference, window = _tables()
    frames = pandas.DataFrame(reference), pandas.DataFrame(window)
    assert test_columns(*frames) == test_columns(reference, window)
