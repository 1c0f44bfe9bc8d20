"""What detectors there are, as data: for pages, commands and comparisons."""

import dataclasses
import inspect
from typing import Any, Literal

from kedge.drift.detectors import ALL


@dataclasses.dataclass(frozen=True, kw_only=True)
class ParameterRecord:
    """A constructor argument: its default, and what it may be, in words."""

    name: str
    default: Any
    constraint: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class DetectorRecord:
    """A detector: the question it answers, where it comes from, what it takes, what it costs, who else has it.

    `input` and `direction` are those of its spec; `threshold` names the parameter that trades false alarms for delay, and
    `stricter` which values of it alarm more rarely; `libraries` are others that have a detector of that paper.
    """

    name: str
    question: str
    paper: str
    equations: str
    mode: Literal["streaming", "batch"]
    input: str
    direction: Literal["up", "down", "both"]
    warns: bool
    parameters: tuple[ParameterRecord, ...]
    threshold: str
    stricter: Literal["larger", "smaller", ""]
    false_alarms: str
    cost: str
    libraries: tuple[str, ...]


def table() -> list[DetectorRecord]:
    """What detectors are there, and what is to be known of each before using it? One record each, by mode and name.

    Examples
    --------
    >>> [record.name for record in table() if "Alibi Detect" in record.libraries and record.input == "binary"]
    ['FETOnline']
    """
    records = [_record(detector) for detector in ALL]
    return sorted(records, key=lambda record: (record.mode != "streaming", record.name))


def _record(detector: Any) -> DetectorRecord:
    spec = detector.spec
    arguments = inspect.signature(detector).parameters
    return DetectorRecord(
        name=spec.name,
        question=(inspect.getdoc(detector) or "").partition("\n")[0],
        paper=spec.paper,
        equations=spec.equations,
        mode=spec.mode,
        input=spec.input,
        direction=spec.direction,
        warns=spec.warns,
        parameters=tuple(
            ParameterRecord(name=name, default=argument.default, constraint=str(spec.params[name]))
            for name, argument in arguments.items()
        ),
        threshold=spec.threshold,
        stricter=spec.stricter,
        false_alarms=spec.false_alarms,
        cost=spec.cost,
        libraries=spec.libraries,
    )
