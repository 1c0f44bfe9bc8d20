"""What detectors raise.

DriftError
├── ParameterError (ValueError)   a constructor argument breaks its declared constraint
├── DataError (ValueError)        a value or window that the detector cannot take (NaN, infinite, empty)
└── StateError (ValueError)       bytes that are not a state of this detector
NotFittedError (DriftError, RuntimeError)   `test` before `fit`
"""


class DriftError(Exception):
    """Root of what `kedge.drift` raises on purpose."""


class ParameterError(DriftError, ValueError):
    """A constructor argument breaks its declared constraint."""


class DataError(DriftError, ValueError):
    """A value or window that the detector cannot take."""


class StateError(DriftError, ValueError):
    """Bytes that are not a state of this detector."""


class NotFittedError(DriftError, RuntimeError):
    """`test` was called before `fit`."""
