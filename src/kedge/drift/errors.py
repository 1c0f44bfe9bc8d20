"""What detectors raise.

DriftError
├── ParameterError (ValueError)   a constructor argument breaks its declared constraint
├── DataError (ValueError)        a value or window that the detector cannot take (NaN, infinite, empty)
├── StateError (ValueError)       bytes that are not a state of this detector
├── NotFittedError (RuntimeError) a batch detector that has no reference yet
└── CalibrationError (ValueError) a run length that no value of the parameter gives
"""

from typing import Any


class DriftError(Exception):
    """Root of what `kedge.drift` raises on purpose."""


class ParameterError(DriftError, ValueError):
    """A constructor argument breaks its declared constraint; `name`, `value` and `rule` say which and how."""

    def __init__(self, detector: str, name: str, value: Any, rule: str) -> None:
        super().__init__(detector, name, value, rule)
        self.detector, self.name, self.value, self.rule = detector, name, value, rule

    def __str__(self) -> str:
        return f"{self.detector}({self.name}={self.value!r}): {self.name} must be {self.rule}"


class DataError(DriftError, ValueError):
    """A value or window that the detector cannot take."""


class StateError(DriftError, ValueError):
    """Bytes that are not a state of this detector."""


class CalibrationError(DriftError, ValueError):
    """No value of the parameter gives the run length asked for."""


class NotFittedError(DriftError, RuntimeError):
    """There is no reference yet: call `fit` first."""
