"""Linear four rates: the lattice's bounds against draws, the algorithm against plain arithmetic, false alarms and power."""

import numpy as np
import pytest
from scipy import stats

from kedge.drift import DDM, DataError, LinearFourRates, ParameterError
from kedge.drift.kernels import four_rates
from kedge.drift.streaming.linear_four_rates import _bounds


def _outcomes(truth, wrong) -> np.ndarray:
    return (2 * truth + (truth ^ wrong)).astype(float)


def _sums(rng, decay: float, n: int, p: float, draws: int) -> np.ndarray:
    weights = (1 - decay) * decay ** np.arange(n)
    return 0.5 * decay**n + np.concatenate([(rng.random((10_000, n)) < p) @ weights for _ in range(draws)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("decay", "n", "p"),
    [(0.9, 30, 0.1), (0.9, 200, 0.37), (0.99, 60, 0.05), (0.99, 500, 0.93), (0.99, 2000, 0.3), (0.8, 7, 0.5)],
)
def test_a_bound_leaves_its_level_outside(decay, n, p) -> None:
    """On whole distributions: no more than the level, and but for jumps not much less, up to the chance of the draws."""
    drawn = _sums(np.random.default_rng(3), decay, n, p, 20)
    table, place = _bounds(decay, 0.01, 0.001)
    for which, level in enumerate((0.005, 0.0005)):
        low, high = (four_rates._bound(table, place, decay, n, p, which, side) for side in (0, 1))
        most = stats.binom.ppf(1 - 1e-6, drawn.size, 1.15 * level)
        assert (drawn < low).sum() <= most
        assert (drawn > high).sum() <= most
        if n >= 200:
            least = stats.binom.ppf(1e-6, drawn.size, 0.8 * level)
            assert (drawn < low).sum() >= least
            assert (drawn > high).sum() >= least


def test_the_algorithm_is_the_paper_s() -> None:
    rng = np.random.default_rng(5)
    truth = rng.random(3000) < 0.3
    values = _outcomes(truth, rng.random(3000) < np.repeat([0.1, 0.6, 0.1], 1000))
    table, place = _bounds(0.9, 0.01, 1e-4)
    drifts, warnings, counts, rates, size = [], [], np.ones((2, 2)), [0.5] * 4, [0] * 4
    since, verdicts = 0, [0] * 4
    for i, (y, said) in enumerate((int(v) // 2, int(v) % 2) for v in values):
        counts[y, said] += 1
        since += 1
        chance = [
            counts[1, 1] / counts[1].sum(),
            counts[0, 0] / counts[0].sum(),
            counts[1, 1] / counts[:, 1].sum(),
            counts[0, 0] / counts[:, 0].sum(),
        ]
        for rate in (0 if y else 1, 2 if said else 3):
            size[rate] += 1
            rates[rate] = 0.9 * rates[rate] + 0.1 * (y == said)
            verdicts[rate] = 0
            for which in (0, 1):
                low, high = (
                    four_rates._bound(table, place, 0.9, size[rate], chance[rate], which, side)
                    for side in (0, 1)
                )
                verdicts[rate] += not low <= rates[rate] <= high
        if since > 50 and max(verdicts) == 2:
            drifts.append(i)
            counts, rates, size, since, verdicts = np.ones((2, 2)), [0.5] * 4, [0] * 4, 0, [0] * 4
        elif since > 50 and max(verdicts) == 1:
            warnings.append(i)
    result = LinearFourRates(0.9, warning_level=0.01, drift_level=1e-4).update_many(values)
    assert result.drifts.tolist() == drifts
    assert result.warnings.tolist() == warnings
    assert len(drifts) >= 2
    assert len(warnings) >= 10


@pytest.mark.slow
@pytest.mark.parametrize(("error", "positive"), [(0.1, 0.5), (0.3, 0.2), (0.02, 0.05)])
def test_alarms_on_a_steady_classifier_are_rare(error, positive) -> None:
    """Four rates, each outside its interval with chance 1e-5 at a value, and near values together: fewer than 4 in 100,000."""
    rng = np.random.default_rng(11)
    values = _outcomes(rng.random(500_000) < positive, rng.random(500_000) < error)
    alarms = LinearFourRates().update_many(values).drifts.size
    assert alarms <= stats.poisson.ppf(1 - 1e-6, 4e-5 * values.size)


@pytest.mark.slow
def test_errors_that_move_between_classes_are_seen() -> None:
    """The error rate stays at 10 %; the rare class is missed. DDM looks at the error rate alone."""
    found, ddm, early = [], 0, 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        truth = rng.random(4000) < 0.2
        chance = np.where(np.arange(4000) < 2000, 0.1, np.where(truth, 0.5, 0.0))
        values = _outcomes(truth, rng.random(4000) < chance)
        drifts = LinearFourRates().update_many(values).drifts
        early += bool((drifts < 2000).any())
        found.append(bool(((drifts >= 2000) & (drifts < 2500)).any()))
        wrong = (values == 1) | (values == 2)
        late = DDM(drift_level=4.0).update_many(wrong.astype(float)).drifts
        ddm += bool(((late >= 2000) & (late < 2500)).any())
    assert sum(found) >= 48
    assert early <= 3
    assert ddm <= 10


def test_rates_are_those_of_now() -> None:
    detector = LinearFourRates(0.9)
    assert detector.rates == {"tpr": 0.5, "tnr": 0.5, "ppv": 0.5, "npv": 0.5}
    detector.update(3)
    assert detector.rates == pytest.approx({"tpr": 0.55, "tnr": 0.5, "ppv": 0.55, "npv": 0.5})
    detector.update(1)
    assert detector.rates == pytest.approx({"tpr": 0.55, "tnr": 0.45, "ppv": 0.495, "npv": 0.5})


def test_what_is_refused() -> None:
    with pytest.raises(ParameterError, match="not above warning_level"):
        LinearFourRates(warning_level=0.001, drift_level=0.01)
    with pytest.raises(ParameterError, match="time_decay"):
        LinearFourRates(0.999)
    for wrong in (4.0, -1.0, 0.5):
        with pytest.raises(DataError, match="2 \\* y_true \\+ y_pred"):
            LinearFourRates().update(wrong)
        with pytest.raises(DataError, match="2 \\* y_true \\+ y_pred"):
            LinearFourRates().update_many([0.0, wrong])
