"""Everything Kedge raises on purpose.

KedgeError
├── NotFound (LookupError)            a named thing does not exist
├── AlreadyExists (ValueError)        a name is taken by something else
├── Invalid (ValueError)              a value breaks a rule
├── Conflict (RuntimeError)           the state of the thing does not allow this now
├── TooLarge (ValueError)             a body or file over its limit
├── Unavailable (RuntimeError)        a part of the platform does not answer
├── GateFailed (RuntimeError)         a validation gate did not pass
├── ConfigError (ValueError)          kedge.toml, a variable or a flag is wrong
├── MissingExtra (ImportError)        an optional dependency is not installed
└── StorageError (RuntimeError)       the database or the disk refused

A message names the thing, the value, the rule; `hint` is the next step. `code` is what the API answers.
"""

from typing import ClassVar


class KedgeError(Exception):
    """Root of all errors that Kedge raises on purpose."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class NotFound(KedgeError, LookupError):
    """A named thing does not exist."""

    code = "not_found"
    status = 404


class AlreadyExists(KedgeError, ValueError):
    """A name is taken by something else."""

    code = "already_exists"
    status = 409


class Invalid(KedgeError, ValueError):
    """A value breaks a rule."""

    code = "invalid"
    status = 422


class Conflict(KedgeError, RuntimeError):
    """The state of the thing does not allow this now."""

    code = "conflict"
    status = 409


class TooLarge(KedgeError, ValueError):
    """A body or a file is over its limit."""

    code = "too_large"
    status = 413


class Unavailable(KedgeError, RuntimeError):
    """A part of the platform does not answer."""

    code = "unavailable"
    status = 503


class GateFailed(KedgeError, RuntimeError):
    """A validation gate did not pass."""

    code = "gate_failed"
    status = 409


class ConfigError(KedgeError, ValueError):
    """kedge.toml, a variable or a flag is wrong."""

    code = "config"


class MissingExtra(KedgeError, ImportError):
    """An optional dependency is not installed."""

    code = "missing_extra"


class StorageError(KedgeError, RuntimeError):
    """The database or the disk refused."""

    code = "storage"
    status = 507
