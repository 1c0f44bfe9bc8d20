import pytest

from kedge.core.errors import Invalid
from kedge.monitoring.specs import Bounds, checked, full_name


def test_short_names_and_case():
    assert full_name("KS") == full_name("kolmogorovsmirnov") == "KolmogorovSmirnov"
    assert full_name("psi") == "PopulationStabilityIndex"
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
    assert Bounds(optional=True).admits(None)
