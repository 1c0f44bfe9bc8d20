"""The error that MLflow's clients read: a code, a message, and what follows from the code."""

from typing import Final, NamedTuple

from kedge.core.errors import KedgeError


class _Class(NamedTuple):
    status: int
    sqlstate: str = ""
    error_class: str = ""


_CODES: Final[dict[str, _Class]] = {
    "INVALID_PARAMETER_VALUE": _Class(400, "KAM00", "INVALID_PARAMETER_VALUE"),
    "BAD_REQUEST": _Class(400, "KAM00", "INVALID_PARAMETER_VALUE"),
    "RESOURCE_ALREADY_EXISTS": _Class(400, "KAM00", "RESOURCE_ALREADY_EXISTS"),
    "RESOURCE_DOES_NOT_EXIST": _Class(404, "KAM00", "RESOURCE_NOT_FOUND"),
    "NOT_FOUND": _Class(404, "KAM00", "RESOURCE_NOT_FOUND"),
    "ENDPOINT_NOT_FOUND": _Class(404, "KAM00", "RESOURCE_NOT_FOUND"),
    "PERMISSION_DENIED": _Class(403, "KAM00", "PERMISSION_DENIED"),
    "UNAUTHENTICATED": _Class(401),
    "FEATURE_DISABLED": _Class(500, "KAM00", "FEATURE_DISABLED"),
    "INVALID_STATE": _Class(500, "XXM00", "CLIENT_INTERNAL_ERROR"),
    "INTERNAL_ERROR": _Class(500, "XXM00", "CLIENT_INTERNAL_ERROR"),
    "NOT_IMPLEMENTED": _Class(501),
    "TEMPORARILY_UNAVAILABLE": _Class(503, "XXM00", "CLIENT_INTERNAL_ERROR"),
    "RESOURCE_EXHAUSTED": _Class(429),
    "REQUEST_LIMIT_EXCEEDED": _Class(429),
    "ABORTED": _Class(409),
}

_STATES: Final = {"ATTRIBUTE_NOT_FOUND": "KAM04"}
"""Of classes that a code does not imply."""


class MlflowError(KedgeError):
    """What an MLflow route refuses, in MLflow's own words."""

    code = "mlflow"

    def __init__(self, error_code: str, message: str, error_class: str = "") -> None:
        super().__init__(message)
        self.error_code = error_code
        self.error_class = error_class

    @property
    def http_status(self) -> int:
        """The status of the answer; 500 for a code that MLflow does not list."""
        return _CODES.get(self.error_code, _Class(500)).status

    def body(self) -> dict[str, str]:
        """The answer's JSON."""
        known = _CODES.get(self.error_code, _Class(500))
        if self.error_class:
            known = known._replace(error_class=self.error_class, sqlstate=_STATES[self.error_class])
        body = {"error_code": self.error_code, "message": self.message}
        if known.sqlstate:
            body["sqlstate"] = known.sqlstate
        if known.error_class:
            body["error_class"] = known.error_class
        return body


def invalid_parameter(message: str) -> MlflowError:
    """A value that breaks a rule."""
    return MlflowError("INVALID_PARAMETER_VALUE", message)


def does_not_exist(message: str) -> MlflowError:
    """A thing that is not there."""
    return MlflowError("RESOURCE_DOES_NOT_EXIST", message)


class NeedsMlflow(Exception):
    """This request is one of the rare that only MLflow's own server answers; nothing was changed."""
