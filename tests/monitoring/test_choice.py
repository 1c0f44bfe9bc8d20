"""Detectors chosen by what a person types."""

import pytest

from kedge.core.errors import Invalid
from kedge.drift import ALL, BatchDetector
from kedge.monitoring.choice import OF_ROWS, by_categories, chosen, of_monitors, reads
from kedge.monitoring.specs import SHORT_NAMES, plain

BATCH = sorted({kind.__name__ for kind in ALL if issubclass(kind, BatchDetector)})


@pytest.mark.parametrize("name", BATCH)
def test_every_batch_detector_has_its_name_in_any_case(name):
    (detector,) = chosen([name.upper()])
    assert type(detector).__name__ == name


def test_short_names():
    names = [
        "ks",
        "PSI",
        "chi2",
        "mmd",
        "lsdd",
        "ad",
        "cvm",
        "kdq-tree",
        "nn-dvi",
        "c2st",
        "Anderson-Darling",
    ]
    assert [type(each).__name__ for each in chosen(names[:-1])] == [
        "KolmogorovSmirnov", "PopulationStabilityIndex", "ChiSquare", "MMD", "LSDD", "AndersonDarling",
        "CramerVonMises", "KdqTree", "NNDVI", "ClassifierTwoSample",
    ]  # fmt: skip
    assert type(chosen(names[-1:])[0]).__name__ == "AndersonDarling"
    short = SHORT_NAMES | OF_ROWS
    assert len(short) == len(SHORT_NAMES) + len(OF_ROWS)
    own = {plain(kind.__name__): kind.__name__ for kind in ALL}
    assert all(own.get(name, full) == full for name, full in short.items()), "it hides a detector's own name"
    assert set(OF_ROWS.values()) <= set(BATCH)


def test_parameters_go_to_all_that_have_them_or_to_one():
    params = [("MMD.alpha", 0.2), ("alpha", 0.01), ("mmd.permutations", 500), ("threshold", 0.3)]
    ks, psi, mmd = chosen(["ks", "psi", "mmd"], params)
    assert (ks.alpha, psi.threshold, mmd.alpha, mmd.permutations) == (0.01, 0.3, 0.2, 500)


@pytest.mark.parametrize(
    ("names", "params", "said"),
    [
        (["anderson"], [], r"called 'anderson' \(did you mean AndersonDarling.*`kedge drift list`"),
        (["mdm"], [], "did you mean MMD"),
        (["zzzzzz"], [], r"\(`kedge drift list` names them all\)"),
        (["adwin"], [], r"ADWIN reads a stream.*kedge drift run --detector ADWIN"),
        (["ks", "KolmogorovSmirnov"], [], "named twice"),
        (["ks"], [("mmd.alpha", 0.1)], "MMD is not among"),
        (
            ["ks"],
            [("sigma", 1)],
            r"no detector here has such a parameter \(KolmogorovSmirnov has alpha, method",
        ),
        (["ks"], [("alpha", 3)], r"alpha must be float in \(0, 1\)"),
        (["ks"], [("alpha", float("nan"))], r"alpha must be float in \(0, 1\)"),
        (["ks"], [("missing", "skip")], "use --missing"),
        (["mmd"], [("permutations", 5)], "at least 1 / alpha"),
    ],
)
def test_what_cannot_be_chosen_is_said(names, params, said):
    with pytest.raises(Invalid, match=said):
        chosen(names, params)


def test_monitors_own():
    assert [type(each).__name__ for each in of_monitors()] == [
        "KolmogorovSmirnov",
        "PopulationStabilityIndex",
        "ChiSquare",
    ]
    first, *_ = of_monitors([("alpha", 0.2)])
    assert (first.method, first.alpha) == ("asymptotic", 0.2)


def test_what_a_detector_reads():
    found = {type(each).__name__: reads(each) for each in chosen(["ks", "chi2", "psi", "mmd", "uncertainty"])}
    assert list(found.values()) == ["numeric", "categorical", "any", "rows", "rows"]
    (by_name,) = chosen(["hellinger"], [("binning", "categories")])
    assert reads(by_name) == "categorical"
    assert by_categories(chosen(["js"])[0]).binning == "categories"
