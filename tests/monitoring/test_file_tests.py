"""Two files compared by every batch detector, and what cannot be compared."""

from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from kedge.core.errors import Invalid
from kedge.drift import (
    ALL,
    MMD,
    BatchDetector,
    DetectorSpec,
    KolmogorovSmirnov,
    TestResult,
    benjamini_hochberg,
    bonferroni,
    holm,
)
from kedge.monitoring.choice import by_categories, chosen, of_monitors, reads
from kedge.monitoring.comparison import compare_column, ready, specs_of
from kedge.monitoring.definitions import DEFAULT_DETECTORS
from kedge.monitoring.file_columns import Asked
from kedge.monitoring.file_tests import compare_files, standardised, verdict
from kedge.monitoring.values import kind_of
from kedge.monitoring.verdict import column_results

BATCH = sorted({kind.__name__ for kind in ALL if issubclass(kind, BatchDetector)})


def made(seed, rows, shift):
    rng = np.random.default_rng(seed)
    sure = rng.beta(2, 2 + shift, rows)
    temp = rng.normal(10 + 5 * shift, 5, rows)
    return {
        "temp": temp,
        "hour": rng.integers(0, 24, rows).astype(float),
        "carrier": rng.choice(["AA", "UA"], rows, p=(0.9 - 0.6 * shift, 0.1 + 0.6 * shift)),
        "late": rng.random(rows) < 0.3,
        "p0": sure,
        "p1": 1 - sure,
        "class": (temp + rng.normal(0, 2, rows) > 10).astype(float),
    }


@pytest.fixture
def tables():
    return made(1, 80, 0), made(2, 60, 1)


@pytest.fixture
def write(tmp_path):
    def written(name, columns):
        path = tmp_path / name
        table = columns if isinstance(columns, pa.Table) else pa.table(columns)
        (pa_csv.write_csv if path.suffix == ".csv" else pq.write_table)(table, path)
        return path

    return written


@pytest.fixture
def files(tables, write):
    return write("a.parquet", tables[0]), write("b.parquet", tables[1])


@pytest.mark.parametrize("name", BATCH)
def test_every_batch_detector_says_what_the_library_says(files, tables, name):
    (detector,) = chosen([name])
    labelled = detector.spec.input == "labelled"
    columns = ("p0", "p1") if detector.spec.input == "probabilities" else ("temp", "hour")
    columns = ("carrier", "late") if reads(detector) == "categorical" else columns
    asked = Asked(columns, label="class" if labelled else None)
    found = compare_files(*files, [detector], asked, correction="none")
    samples = [np.column_stack([table[each] for each in columns]) for table in tables]
    if reads(detector) == "rows":
        if name not in ("ModelUncertainty", "SpotTheDiff"):
            samples = standardised(*samples)
        if labelled:
            samples = [
                np.column_stack([rows, table["class"]]) for rows, table in zip(samples, tables, strict=True)
            ]
        expected = [type(detector)().fit(samples[0]).test(samples[1])]
    else:
        expected = [type(detector)().fit(tables[0][each]).test(tables[1][each]) for each in columns]
    told = [each for each in found.results if each.detector == name]
    for mine, theirs in zip(told, expected, strict=True):
        assert (mine.statistic, mine.p_value) == pytest.approx(
            (theirs.statistic, theirs.p_value), nan_ok=True
        )
        assert (mine.drift, mine.n_reference, mine.n) == (theirs.drift, 80, 60)


@pytest.mark.parametrize("name", ["hellinger", "js", "tv", "kl", "linf", "bhattacharyya", "psi"])
def test_distances_read_text_too(files, tables, name):
    (detector,) = chosen([name])
    found = compare_files(*files, [detector], Asked(("carrier",)))
    expected = by_categories(detector).fit(tables[0]["carrier"]).test(tables[1]["carrier"])
    assert (found.results[0].statistic, found.drifted) == (expected.statistic, ["carrier"])


def test_without_detectors_the_verdict_is_that_of_monitors(write):
    before, after = (
        pa.table({**made(seed, rows, shift), "gap": gap, "word": word})
        for seed, rows, shift, gap, word in (
            (3, 500, 0, [None, 1.0, 2.0, 3.0, np.nan] * 100, [None, "x"] * 250),
            (4, 400, 0.1, [None, 4.0, 2.0, np.inf] * 100, ["x", "x", "x", None] * 100),
        )
    )
    findings = []
    for name in before.column_names:
        kind, specs = specs_of(name, kind_of(before.schema.field(name).type), DEFAULT_DETECTORS["drift"])
        samples = [ready(name, kind, table.column(name).chunks) for table in (before, after)]
        findings += compare_column(name, kind, specs, *samples)[0]
    expected = column_results(findings)
    for ending in ("parquet", "csv"):
        paths = write(f"a.{ending}", before), write(f"b.{ending}", after)
        found = compare_files(*paths, of_monitors(), Asked(missing="monitors"))
        told = {
            (each.column, each.detector): (each.statistic, each.p_value, each.drift) for each in found.results
        }
        assert told.keys() == {(each.column, each.detector) for each in expected}
        for each in expected:
            statistic, p_value, drift = told[each.column, each.detector]
            assert statistic == pytest.approx(each.statistic)
            assert p_value == pytest.approx(each.p_value)
            assert drift == each.drift
        assert {each.drift for each in found.results} == {True, False}


def test_p_values_of_a_detector_are_corrected_over_its_columns(write):
    rng = np.random.default_rng(7)
    before, after = ({f"c{place}": rng.normal(size=60) for place in range(8)} for _ in range(2))
    after = {name: values + 0.09 * place for place, (name, values) in enumerate(after.items())}
    paths = write("a.parquet", before), write("b.parquet", after)
    p_values = [KolmogorovSmirnov().fit(before[name]).test(after[name]).p_value for name in before]
    expected = {
        "none": [p < 0.1 for p in p_values],
        "bh": benjamini_hochberg(p_values, 0.1).tolist(),
        "holm": holm(p_values, 0.1).tolist(),
        "bonferroni": bonferroni(p_values, 0.1).tolist(),
    }
    assert sum(expected["none"]) > sum(expected["bonferroni"]) > 0
    for name, flags in expected.items():
        found = compare_files(*paths, chosen(["ks"], [("alpha", 0.1)]), correction=name)
        assert found.drifted == [column for column, flag in zip(before, flags, strict=True) if flag]


def test_standardised_rows_do_not_tell_which_sample_is_the_reference(tables):
    before, after = (
        np.column_stack([table["temp"] * 1e200, table["hour"], np.full(len(table["hour"]), 0.1)])
        for table in tables
    )
    both = np.concatenate(standardised(before, after))
    assert both.mean(axis=0) == pytest.approx(0, abs=1e-12)
    assert both.std(axis=0) == pytest.approx([1, 1, 0])
    swapped = np.concatenate(standardised(after, before)[::-1])
    assert swapped == pytest.approx(both)


class LastColumn(BatchDetector):
    """Tells what it was given: the sum of the classes, and of the columns."""

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="LastColumn", mode="batch", input="labelled", direction="both", params={}, paper="", equations="",
        false_alarms="", cost="",
    )  # fmt: skip
    missing = "raise"

    def _clean(self, values, what):
        return np.asarray(values)

    def _fit(self, reference):
        return {"rows": reference}

    def _test(self, window):
        return TestResult(
            detector="LastColumn", statistic=float(self._fitted["rows"][:, -1].sum()),
            threshold=float(window.shape[1]), drift=False, n_reference=self._n_reference, n=len(window),
        )  # fmt: skip


def test_labelled_rows(tables, write):
    before, after = ({**table, "kind": np.where(table["class"] > 0, "late", "early")} for table in tables)
    paths = write("a.parquet", before), write("b.parquet", after)
    for label in ("class", "kind"):  # early and late are numbered 0 and 1
        (told,) = compare_files(*paths, [LastColumn()], Asked(("temp", "hour"), label=label)).results
        assert (told.column, told.statistic, told.threshold) == ("temp, hour", before["class"].sum(), 3)
    without = write("c.parquet", {name: after[name] for name in ("temp", "hour")})
    (told,) = compare_files(paths[0], without, [LastColumn()], Asked(label="class")).results
    assert (told.column, told.threshold) == ("temp, hour", 2)
    with pytest.raises(Invalid, match=r"reads rows with their class .*--label"):
        compare_files(*paths, [LastColumn()])
    with pytest.raises(Invalid, match="none of these detectors reads a class"):
        compare_files(*paths, chosen(["ks"]), Asked(label="class"))
    with pytest.raises(Invalid, match="has no column 'klass'"):
        compare_files(*paths, [LastColumn()], Asked(label="klass"))


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_missing_values(write, ending):
    before = {"x": pa.array([1.0, None, 3.0, 4.0] * 5), "y": np.arange(20.0), "z": ["a", None, "b", "a"] * 5}
    after = {"x": np.arange(20.0), "y": pa.array([0.0, 1, None, 2] * 5), "z": ["a", "b", "b", "a"] * 5}
    paths = write(f"a.{ending}", before), write(f"b.{ending}", after)
    with pytest.raises(
        Invalid, match=r"'x' of .*a\.\w+ has no finite number in row 1, nor in 4 more.*--missing skip"
    ):
        compare_files(*paths, chosen(["ks"]))
    with pytest.raises(Invalid, match=r"'z' of .*a\.\w+ has no value in row 1"):
        compare_files(*paths, chosen(["chi2"]))
    found = compare_files(*paths, chosen(["ks", "chi2", "energymultivariate"]), Asked(missing="skip"))
    assert found.missing == {"x": (5, 0), "y": (0, 5), "z": (5, 0)}
    sizes = {(each.column, each.n_reference, each.n) for each in found.results if each.n}
    assert sizes == {("x", 15, 20), ("y", 20, 15), ("z", 15, 20), ("x, y", 15, 15)}


def test_numbers_as_categories(write):
    paths = write("a.parquet", {"hour": [1.0, 2.0, 2.0] * 20}), write("b.csv", {"hour": [1, 1, 2] * 20})
    found = compare_files(*paths, chosen(["chi2"]), Asked(categorical=("hour",)))
    assert found.histograms["hour"]["bins"] == ("1", "2")
    assert found.drifted == ["hour"]
    halves = write("c.parquet", {"hour": [1.0, 2.5, 2.5] * 20})
    assert compare_files(halves, halves, chosen(["psi"]), Asked(categorical=("hour",))).histograms["hour"][
        "bins"
    ] == ("2.5", "1")


def test_places_of_difference_are_told_in_the_unit_of_the_columns(write):
    rng = np.random.default_rng(1)
    before, after = ({"x": rng.normal(1000, 5, 300), "y": rng.normal(-50, 1, 300)} for _ in range(2))
    after["x"][:80] = rng.normal(1030, 1, 80)
    paths = write("a.parquet", before), write("b.parquet", after)
    (told,) = compare_files(*paths, chosen(["spot-the-diff"], [("locations", 1)])).results
    assert told.details["locations"][0] == pytest.approx((1030, -50), abs=6)


def test_large_integers_are_compared(write):
    ids = np.random.default_rng(1).integers(2**60, 2**62, 50)
    path = write("a.parquet", {"id": ids})
    assert compare_files(path, path, of_monitors()).drifted == []


def test_only_what_is_needed_is_read(files, monkeypatch):
    read = []
    monkeypatch.setattr(
        pq,
        "read_table",
        lambda path, columns, _read=pq.read_table: read.append(columns) or _read(path, columns=columns),
    )
    compare_files(*files, chosen(["chi2"]))
    assert read == [["carrier", "late"]] * 2


def test_a_sample_of_rows(files):
    detectors = chosen(["mmd", "ks"])
    found = compare_files(*files, detectors, Asked(("temp",), sample=50))
    assert {each.detector: (each.n_reference, each.n) for each in found.results[:2]} == {
        "KolmogorovSmirnov": (80, 60),
        "MMD": (50, 50),
    }
    again = compare_files(*files, detectors, Asked(("temp",), sample=50))
    assert again == found
    whole = compare_files(*files, detectors, Asked(("temp",), sample=5000))
    assert whole == compare_files(*files, detectors, Asked(("temp",)))
    with pytest.raises(Invalid, match="--sample is -1"):
        compare_files(*files, detectors, Asked(sample=-1))


def other(**columns):
    return pa.table(columns)


@pytest.mark.parametrize(
    ("current", "asked", "names", "said"),
    [
        (other(q=[1.0]), Asked(), "ks", r"share no column.*temp: only in .*a\.parquet; .*and 2 more"),
        (other(temp=pa.array([], pa.float64())), Asked(), "ks", r"b\.parquet has no rows"),
        (other(temp=["x"] * 9), Asked(), "ks", r"'temp' holds numbers in .*a\.parquet and text or booleans in"),
        (other(temp=pa.array(range(9), pa.timestamp("ms"))), Asked(("temp",)), "ks", r"holds timestamp\[ms\]"),
        (other(temp=[[1.0]] * 9), Asked(("temp",)), "ks", "holds list<.*which no detector reads"),
        (other(temp=[b"x"] * 9), Asked(("temp",)), "ks", r"holds binary \(in a CSV file: text that is not UTF-8\), which no"),
        (other(temp=pa.nulls(9)), Asked(), "ks", "no finite number in row 0, nor in 8 more"),
        (other(temp=pa.nulls(9)), Asked(missing="skip"), "ks", r"no column with values to compare \(temp: it has no values in"),
        (other(temp=pa.nulls(9)), Asked(("temp",), missing="skip"), "ks", "'temp' of .* has no values"),
        (other(carrier=["x"] * 9), Asked(("carrier",)), "ks", "holds text or booleans, which none of the"),
        (other(temp=[1.0] * 9), Asked(("temp",)), "chi2", "--categorical temp"),
        (other(temp=[1.0] * 9), Asked(("speed",)), "ks", "has no column 'speed'"),
        (other(temp=[1.0] * 9), Asked(categorical=("speed",)), "psi", "not among the columns compared"),
        (other(temp=[1.0] * 9), Asked(), "cdbd", "CDBD reads a classifier's confidence"),
        (other(temp=[1.0] * 9), Asked(), "uncertainty", "probabilities of the classes"),
        (other(temp=[1.0] * 9), Asked(("temp",)), "uncertainty", "at least 2 columns"),
        (other(temp=[1.0]), Asked(), "mmd", "at least 4 rows, got 1"),
        (other(temp=[1.0] * 3), Asked(), "es", "column 'temp': EppsSingleton: .* at least 5 values"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_said(files, write, current, asked, names, said):
    path = write("b.parquet", current)
    with pytest.raises(Invalid, match=said):
        compare_files(files[0], path, chosen([names]), asked)


def test_constant_columns(write):
    path = write("a.parquet", {"one": np.ones(20), "x": np.arange(20.0)})
    with pytest.raises(Invalid, match="LSDD: of one, no column varies"):
        compare_files(path, path, chosen(["lsdd"]), Asked(("one",)))
    assert not compare_files(path, path, chosen(["ks", "mmd"])).drift
    two = write("b.parquet", {"one": np.full(20, 2.0), "x": np.arange(20.0)})
    found = compare_files(path, two, chosen(["ks", "mmd"]))
    assert (found.drifted, found.results[2].drift) == (["one"], True)


def test_two_columns_of_one_name_are_refused(files, tmp_path):
    (tmp_path / "twice.csv").write_text("temp,temp\n1,2\n")
    with pytest.raises(Invalid, match="two columns called 'temp'"):
        compare_files(files[0], tmp_path / "twice.csv", chosen(["ks"]))
    for name in ("nothing.csv", "nothing.parquet"):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(Invalid, match=rf"{name} cannot be read"):
            compare_files(files[0], tmp_path / name, chosen(["ks"]))


def test_the_verdict_in_a_sentence(files):
    columns = Asked(("temp", "carrier", "late"))
    found = compare_files(*files, [*chosen(["ks", "psi", "mmd"])], columns)
    assert verdict(found) == (
        "2 of 3 columns drift: temp, carrier (a column drifts when all its detectors say so). "
        "Rows of temp drift by MMD"
    )
    assert (found.drift, found.drift_share, found.rows) == (True, pytest.approx(2 / 3), ["temp"])
    found = compare_files(files[0], files[0], [MMD(), *chosen(["ks", "chi2"])], Asked(("temp", "p0")))
    assert verdict(found) == (
        "0 of 2 columns drift: none (p-values corrected over columns by Benjamini and Hochberg). "
        "Rows of temp, p0 do not drift by MMD"
    )
    assert (found.drift, found.idle) == (False, ["ChiSquare"])
    found = compare_files(
        *files,
        chosen(
            ["lsdd", "mmd"], [("mmd.estimate", "linear"), ("mmd.alpha", 0.001), ("mmd.permutations", 2000)]
        ),
        Asked(("hour", "temp")),
    )
    assert verdict(found) == "Rows of hour, temp drift by LSDD; they do not drift by MMD"
