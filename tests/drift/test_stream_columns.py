"""Columns fed together give what each gives alone, and a refused piece changes none."""

import numpy as np
import pandas as pd
import pytest

from kedge.drift import (
    ADWIN,
    DDM,
    KSWIN,
    DataError,
    MMDOnline,
    PageHinkley,
    ParameterError,
    StateError,
    StreamColumns,
)

RNG = np.random.default_rng(3)
TABLE = {
    "price": RNG.normal(np.repeat([0, 2, -1], 700), 1),
    "delay": RNG.normal(np.repeat([1, 1, 4], 700), 1),
    "error": (RNG.random(2100) < np.repeat([0.1, 0.1, 0.5], 700)).astype(float),
}


def _made(**given) -> StreamColumns:
    return StreamColumns({"price": ADWIN(), "delay": KSWIN(1e-6), "error": DDM()}, **given)


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_each_column_is_as_alone(threads) -> None:
    found = _made(threads=threads).update_many(TABLE, statistics=True)
    assert list(found) == ["price", "delay", "error"]
    for name, detector in _made().detectors.items():
        alone = detector.update_many(TABLE[name], statistics=True)
        assert alone.drifts.size
        assert found[name].drifts.tolist() == alone.drifts.tolist()
        assert found[name].warnings.tolist() == alone.warnings.tolist()
        assert found[name].statistics.tolist() == alone.statistics.tolist()


def test_any_cut_and_a_saved_state_give_the_same() -> None:
    whole, pieces = _made(), _made()
    expected = {name: result.drifts.tolist() for name, result in whole.update_many(TABLE).items()}
    found: dict[str, list[int]] = {name: [] for name in TABLE}
    begin = 0
    for end in (1, 2, 800, 801, 1500, 2100):
        frame = pd.DataFrame(TABLE).iloc[begin:end]
        for name, result in pieces.update_many(frame).items():
            found[name] += [begin + index for index in result.drifts.tolist()]
        pieces, begin = StreamColumns.from_state(pieces.state()), end
    assert found == expected
    assert pieces.state() == whole.state()
    assert repr(pieces) == repr(whole)
    whole.reset()
    assert whole.state() == _made().state()


def test_one_row() -> None:
    single, whole = _made(), _made()
    said = [single.update({name: values[i] for name, values in TABLE.items()}) for i in range(800)]
    found = whole.update_many({name: values[:800] for name, values in TABLE.items()})
    for name, result in found.items():
        assert [i for i, each in enumerate(said) if each[name] == "drift"] == result.drifts.tolist()
        assert [i for i, each in enumerate(said) if each[name] == "warning"] == result.warnings.tolist()


def test_vectors_beside_values() -> None:
    both = StreamColumns({"a": PageHinkley(), "rows": MMDOnline(expected_run_time=200, simulations=500)})
    result = both.update_many({"a": np.zeros(10), "rows": np.zeros((20, 2))})
    assert (result["a"].n, result["rows"].n) == (10, 20)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"error": TABLE["error"] + 1}, "column 'error'"),
        ({"delay": np.full(2100, np.nan)}, "column 'delay'"),
        ({"other": TABLE["error"]}, r"without a detector: \['other'\]"),
        ({"error": None}, "column 'error'"),
    ],
)
def test_a_refused_piece_changes_no_column(changed, named) -> None:
    streams = _made()
    before = streams.state()
    with pytest.raises(DataError, match=named):
        streams.update_many({**TABLE, **changed})
    with pytest.raises(DataError, match=r"lack: \['delay', 'error'\]"):
        streams.update_many({"price": [1.0]})
    with pytest.raises(DataError, match="mapping"):
        streams.update_many(np.zeros((3, 3)))
    assert streams.state() == before


def test_what_is_no_detector_for_each_is_refused() -> None:
    one = ADWIN()
    for wrong in ({}, {"a": 3}, {1: one}, [one], {"a": one, "b": one}):
        with pytest.raises(ParameterError, match="detectors must be"):
            StreamColumns(wrong)
    with pytest.raises(ParameterError, match="threads"):
        _made(threads=-1)
    with pytest.raises(StateError):
        StreamColumns.from_state(one.state())
    with pytest.raises(StateError):
        StreamColumns.from_state(_made().state()[:-1])
