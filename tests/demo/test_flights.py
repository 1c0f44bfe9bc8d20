"""The flights as a table: only what is known before departure, months and days of New York."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from kedge.demo.flights import CATEGORICAL, FEATURES, KNOWN_ONLY_LATER, LABEL, NUMERIC, load_year, month_of
from kedge.demo.model import calibration_error, even_days, odd_days

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def year() -> pa.Table:
    return load_year()


def test_nothing_known_after_departure_is_a_feature() -> None:
    assert not set(FEATURES) & {*KNOWN_ONLY_LATER, LABEL}
    assert set(FEATURES) == {*CATEGORICAL, *NUMERIC}


def test_no_feature_gives_the_delay_away(year: pa.Table) -> None:
    """A feature made of an arrival or departure time would all but decide the label; none comes near."""
    known = year.filter(pc.is_valid(year[LABEL]))
    label = known[LABEL].to_numpy()
    for name in NUMERIC:
        values = known[name].to_numpy(zero_copy_only=False)
        kept = np.isfinite(values)
        assert abs(np.corrcoef(values[kept], label[kept])[0, 1]) < 0.25, name


def test_every_flight_is_there_once_with_its_month(year: pa.Table) -> None:
    assert year.num_rows == 336_776
    assert pc.count_distinct(year["flight_id"]).as_py() == 336_776
    assert sum(month_of(year, month).num_rows for month in range(1, 13)) == 336_776
    assert pc.all(pc.equal(pc.month(year["time"]), year["month"])).as_py()
    assert pc.all(pc.equal(pc.day(year["time"]), year["day"])).as_py()
    times = year["time"].cast(pa.int64()).to_numpy()
    assert (np.diff(times) >= 0).all()


def test_flights_that_never_arrived_have_no_label(year: pa.Table) -> None:
    assert year[LABEL].null_count == 9_430
    assert set(pc.unique(year[LABEL].drop_null()).to_pylist()) == {0.0, 1.0}


def test_odd_and_even_days_share_nothing(year: pa.Table) -> None:
    frame = month_of(year, 1).to_pandas()
    odd, even = odd_days(frame), even_days(frame)
    assert len(odd) + len(even) == len(frame)
    assert not set(odd["flight_id"]) & set(even["flight_id"])
    assert not set(odd["day"]) & set(even["day"])


def test_calibration_error_by_hand() -> None:
    assert calibration_error(np.array([0.0, 1.0]), np.array([0.5, 0.5])) == pytest.approx(0.0)
    assert calibration_error(np.array([1.0, 1.0]), np.array([0.25, 0.25])) == pytest.approx(0.75)
