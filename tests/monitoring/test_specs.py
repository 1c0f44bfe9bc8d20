import pytest

from kedge import drift
from kedge.core.errors import Invalid
from kedge.monitoring.definitions import DAILY, DEFAULT_DETECTORS
from kedge.monitoring.specs import DETECTORS, SHORT_NAMES, Bounds, checked, full_name


def test_short_names_and_case():
    assert full_name("KS") == full_name("kolmogorovsmirnov") == "KolmogorovSmirnov"
    assert full_name("psi") == "PopulationStabilityIndex"
    assert full_name("Anderson-Darling") == full_name("ad") == "AndersonDarling"
    assert full_name("Nonsense") == "Nonsense"


def test_a_checked_spec_keeps_its_parameters():
    spec = checked({"name": "ks", "alpha": 0.01}, "monitor 'm'", streaming=False)
    assert spec == {"name": "KolmogorovSmirnov", "alpha": 0.01}


@pytest.mark.parametrize(
    ("spec", "streaming", "said"),
    [
        ({"name": "KSS"}, False, "KolmogorovSmirnov"),
        ({"name": "PageHinkley"}, False, "KolmogorovSmirnov"),
        ({"name": "KS"}, True, "ADWIN"),
        ({"name": "KS", "alhpa": 0.1}, False, "alpha"),
        ({"name": "KS", "alpha": 1.5}, False, "a number in (0, 1)"),
        ({"name": "KS", "alpha": True}, False, "a number in (0, 1)"),
        ({"name": "KS", "alpha": float("nan")}, False, "a number in (0, 1)"),
        ({"name": "CDBD", "alpha": 0.001}, False, "more than 1 / alpha"),
        ({"name": 3}, False, "names no detector"),
        ("KS", False, "names no detector"),
    ],
)
def test_a_wrong_spec_is_refused_with_what_is_allowed(spec, streaming, said):
    with pytest.raises(Invalid) as raised:
        checked(spec, "monitor 'm', *numeric", streaming=streaming)
    assert said in str(raised.value)
    assert "monitor 'm', *numeric" in str(raised.value)


def test_bounds():
    assert Bounds(integer=True, low=1).admits(1)
    assert not Bounds(integer=True, low=1).admits(1.0)
    assert not Bounds(low=0, low_open=True).admits(0)
    assert Bounds(choices=("up", "both")).admits("up")
    assert not Bounds(choices=("up", "both")).admits(None)


def bounds_of(constraint) -> Bounds:
    """A constraint of the library in the terms of the table."""
    if isinstance(constraint, drift.Choice):
        return Bounds(choices=constraint.options)
    return Bounds(
        float(constraint.low),
        float(constraint.high),
        low_open=constraint.closed in ("right", "neither"),
        high_open=constraint.closed in ("left", "neither"),
        integer=constraint.kind is int,
    )


def test_the_table_is_what_the_library_declares():
    """Monitors run a part of the library's detectors: those that compare a column or watch one number."""
    declared = {detector.__name__: detector for detector in drift.ALL}
    of_columns = {
        name
        for name, detector in declared.items()
        if detector.spec.mode == "batch" and detector.spec.input in ("real", "categorical")
    }
    assert of_columns - set(DETECTORS) == {"BatchEnsemble"}  # its parameters are objects
    for name, rule in DETECTORS.items():
        detector = declared[name]
        assert (rule.takes == "stream") == (detector.spec.mode == "streaming")
        assert rule.takes == (
            "stream"
            if detector.spec.mode == "streaming"
            else "any"
            if "binning" in detector.spec.params
            else {"real": "numeric", "categorical": "categorical"}[detector.spec.input]
        )
        assert rule.params == {
            name: bounds_of(constraint) for name, constraint in detector.spec.params.items()
        }
    assert set(SHORT_NAMES.values()) <= set(DETECTORS)


def test_the_defaults_are_allowed():
    for kind, by_column in DEFAULT_DETECTORS.items():
        for specs in by_column.values():
            for spec in specs:
                assert checked(spec, "here", streaming=kind == "stream") == spec
    for name, params in DAILY.items():
        assert checked({"name": name, **params}, "here", streaming=True)["name"] == name
