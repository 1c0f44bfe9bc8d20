"""Pages of a search: MLflow's tokens, which hold an offset."""

import base64
import binascii
import json

from kedge.core.mlflow_error import MlflowError, invalid_parameter


def require_page_size(size: int, most: int) -> None:
    """Raise MlflowError where nobody could answer."""
    if size < 1:
        raise invalid_parameter(
            f"Invalid value {size} for parameter 'max_results' supplied. It must be a positive integer"
        )
    if size > most:
        raise invalid_parameter(
            f"Invalid value {size} for parameter 'max_results' supplied. It must be at most {most}"
        )


def token_after(offset: int) -> str:
    """The token of the page that begins there.

    Examples
    --------
    >>> offset_of(token_after(100))
    100
    """
    return base64.b64encode(json.dumps({"offset": offset}).encode()).decode()


def offset_of(token: str) -> int:
    """Where the token's page begins; 0 without a token. Raises MlflowError."""
    if not token:
        return 0
    try:
        decoded = base64.b64decode(token)
    except (binascii.Error, ValueError) as error:
        raise invalid_parameter("Invalid page token, could not base64-decode") from error
    try:
        parsed = json.loads(decoded)
    except ValueError as error:
        raise invalid_parameter(f"Invalid page token, decoded value={decoded!r}") from error
    offset = parsed.get("offset") if isinstance(parsed, dict) else None
    if not offset:
        raise invalid_parameter(f"Invalid page token, parsed value={parsed}")
    try:
        return _not_negative(int(offset))
    except (ValueError, TypeError) as error:
        raise invalid_parameter(f"Invalid page token, not stringable {offset}") from error


def _not_negative(offset: int) -> int:
    if not 0 <= offset < 2**63:
        raise MlflowError("INVALID_PARAMETER_VALUE", f"Invalid page token, offset {offset} is out of range")
    return offset
