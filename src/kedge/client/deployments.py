"""Deploy models and ask endpoints: `kedge.deploy`, `kedge.endpoint`."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self
from urllib.parse import quote

import httpx
import msgspec

from kedge.client.connection import connection
from kedge.core.deployments import Deployment, Endpoint, TrafficMinute
from kedge.core.errors import Conflict, Invalid, NotFound, TooLarge, Unavailable
from kedge.core.ids import new_id

_POLL_S = 0.05
_TIMEOUT_S = 120.0
_DATATYPES = {"bool": "BOOL", "object": "BYTES", "str": "BYTES"} | {
    f"{name}{bits}": f"{short}{bits}"
    for name, short, sizes in (
        ("int", "INT", (8, 16, 32, 64)),
        ("uint", "UINT", (8, 16, 32, 64)),
        ("float", "FP", (16, 32, 64)),
    )
    for bits in sizes
}


class EndpointState(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint as the platform describes it."""

    endpoint: Endpoint
    live: Deployment | None
    wanted: Deployment
    url: str
    history: list[Deployment] = []


class LogState(msgspec.Struct, frozen=True, kw_only=True):
    """Rows in the inference log and the newest times seen."""

    rows: int
    watermark_ms: int | None
    label_watermark_ms: int | None = None


class _Output(msgspec.Struct):
    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class Prediction(msgspec.Struct):
    """An answer of an endpoint; `id` and the row's place are the key for its label."""

    model_name: str
    model_version: str
    id: str
    outputs: list[_Output]

    def values(self) -> list[Any]:
        """One value a row: P(class 1) of two-column probabilities, else the value, or the list of values."""
        output = self.outputs[0]
        width = len(output.data) // max(output.shape[0], 1)
        if width == 1:
            return output.data
        rows = [output.data[start : start + width] for start in range(0, len(output.data), width)]
        return [row[1] for row in rows] if width == 2 else rows


def deploy(
    endpoint: str,
    *,
    model: str,
    version: str | int | None = None,
    alias: str | None = None,
    reason: str = "",
    wait: bool = True,
    timeout_s: float = 60,
) -> Deployment:
    """Let a registered model version answer on an endpoint, without a failed request in between.

    Parameters
    ----------
    endpoint
        Name of the endpoint; it is made when new.
    model, version, alias
        The registered model and either a version (a number or `latest`) or an alias.
    reason
        Shown in the endpoint's history.
    wait
        Return when it answers; otherwise when it is recorded.
    timeout_s
        How long to wait.

    Raises
    ------
    Conflict
        The model could not be loaded, or another deployment took its place; what was live stays so.
    Unavailable
        It did not answer within `timeout_s`.
    """
    body = {
        "model": model,
        "version": None if version is None else str(version),
        "alias": alias,
        "reason": reason,
    }
    path = f"/endpoints/{quote(endpoint, safe='')}/deployments"
    deployment = connection().call("POST", path, Deployment, body=body)
    return _wait(deployment, timeout_s) if wait else deployment


def rollback(endpoint: str, *, reason: str = "", wait: bool = True, timeout_s: float = 60) -> Deployment:
    """Go back to the model version that was live before. Raises as `deploy` does."""
    path = f"/endpoints/{quote(endpoint, safe='')}/rollback"
    deployment = connection().call("POST", path, Deployment, body={"reason": reason})
    return _wait(deployment, timeout_s) if wait else deployment


def endpoints() -> list[EndpointState]:
    """All endpoints, without their histories."""
    return connection().call("GET", "/endpoints", list[EndpointState])


def endpoint(name: str) -> "EndpointHandle":
    """The endpoint of that name; it is looked up at the first use."""
    return EndpointHandle(name)


class EndpointHandle:
    """Asks one endpoint over one kept-alive connection pool. May be shared by threads."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._path = f"/endpoints/{quote(name, safe='')}"
        self._http: httpx.Client | None = None
        self._url = ""

    def state(self) -> EndpointState:
        """What is live, what is wanted, and the history. Raises NotFound."""
        return connection().call("GET", self._path, EndpointState)

    def predict(
        self, rows: Any, request_id: str | None = None, event_time_ms: int | None = None
    ) -> list[Any]:
        """One value a row; see `ask` for the arguments and `Prediction.values` for the values."""
        return self.ask(rows, request_id, event_time_ms).values()

    def ask(self, rows: Any, request_id: str | None = None, event_time_ms: int | None = None) -> Prediction:
        """Ask for predictions by the Open Inference Protocol.

        Parameters
        ----------
        rows
            A table (pyarrow Table, pandas DataFrame) or a mapping of column names to equally long sequences.
        request_id
            With the row's place the key for labels; made when missing.
        event_time_ms
            When the event happened; the time of the request when missing.

        Raises
        ------
        Invalid
            The endpoint refuses the rows; the message names the column, the value and the rule.
        NotFound, TooLarge, Unavailable
            No model answers; over 16 MiB; the serving process does not answer.
        """
        body: dict[str, Any] = {
            "id": request_id or new_id(),
            "inputs": [_tensor(str(name), column) for name, column in _columns(rows)],
        }
        if event_time_ms is not None:
            body["parameters"] = {"event_time_ms": event_time_ms}
        http = self._connected()
        try:
            reply = http.post(
                f"{self._url}/infer",
                content=msgspec.json.encode(body),
                headers={"content-type": "application/json"},
            )
        except httpx.HTTPError as error:
            raise Unavailable(
                f"no answer from {self._url}: {error}", hint="is `kedge up` running? see `kedge status`"
            ) from error
        if reply.is_error:
            raise _refusal(reply)
        return msgspec.json.decode(reply.content, type=Prediction)

    def send_labels(self, labels: Iterable[tuple[str, int, float]], at_ms: int) -> int:
        """Tell the truth about rows as (request id, row, label), known at `at_ms`; returns how many were new."""
        sent = [
            {"request_id": request_id, "row": int(row), "label": float(label), "at_ms": at_ms}
            for request_id, row, label in labels
        ]
        return connection().call("POST", f"{self._path}/labels", dict[str, int], body={"labels": sent})[
            "added"
        ]

    def log(self) -> LogState:
        """How much is logged."""
        return connection().call("GET", f"{self._path}/log", LogState)

    def wait_logged(self, rows: int, timeout_s: float = 60) -> LogState:
        """Return when the log holds at least `rows` rows: it is written up to a second after the answers.

        Raises
        ------
        Unavailable
            It does not within `timeout_s`.
        """
        until_s = time.monotonic() + timeout_s
        while (state := self.log()).rows < rows:
            if time.monotonic() > until_s:
                raise Unavailable(
                    f"the log of endpoint {self.name!r} holds {state.rows:,} rows after {timeout_s:g} s, expected {rows:,}",
                    hint="does the serving process run? see `kedge status`",
                )
            time.sleep(_POLL_S)
        return state

    def traffic(self, since_ms: int = 0) -> list[TrafficMinute]:
        """What was answered, by minute."""
        query = {"since_ms": since_ms}
        return connection().call("GET", f"{self._path}/traffic", list[TrafficMinute], query=query)

    def close(self) -> None:
        """Close the connections to the endpoint; the next use opens them again."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connected(self) -> httpx.Client:
        if self._http is None:
            self._url = self.state().url
            self._http = httpx.Client(timeout=_TIMEOUT_S, trust_env=False)
        return self._http


def _wait(deployment: Deployment, timeout_s: float) -> Deployment:
    until_s = time.monotonic() + timeout_s
    while deployment.state in ("pending", "loading"):
        if time.monotonic() > until_s:
            raise Unavailable(
                f"deployment {deployment.id} on {deployment.endpoint!r} is still {deployment.state} after {timeout_s:g} s",
                hint="does the serving process run? see `kedge status`",
            )
        time.sleep(_POLL_S)
        deployment = connection().call("GET", f"/deployments/{deployment.id}", Deployment)
    if deployment.state == "failed":
        raise Conflict(
            f"model {deployment.model_name!r} version {deployment.model_version} could not be deployed on "
            f"{deployment.endpoint!r}: {deployment.error}",
            hint="what was live before, if anything was, still answers; `kedge endpoints` shows it",
        )
    if deployment.state == "retired" and deployment.live_ms is None:
        raise Conflict(
            f"deployment {deployment.id} on {deployment.endpoint!r} was replaced before it was loaded"
        )
    return deployment


def _refusal(reply: httpx.Response) -> Exception:
    try:
        message = str(msgspec.json.decode(reply.content)["error"])
    except (msgspec.DecodeError, KeyError, TypeError):
        message = f"{reply.request.url} answered {reply.status_code}"
    if reply.status_code == 404:
        return NotFound(message)
    if reply.status_code == 413:
        return TooLarge(message, hint="send fewer rows in a request")
    return Unavailable(message) if reply.status_code >= 500 else Invalid(message)


def _columns(rows: Any) -> list[tuple[str, Any]]:
    if hasattr(rows, "column_names") and hasattr(rows, "column"):  # pyarrow
        return [(name, _arrow_values(rows.column(name))) for name in rows.column_names]
    if hasattr(rows, "columns") and hasattr(rows, "iloc"):  # pandas
        return [(name, rows[name].to_numpy()) for name in rows.columns]
    if isinstance(rows, Mapping):
        return list(rows.items())
    raise Invalid(f"rows are a {type(rows).__name__}: a table or a mapping of columns is taken")


def _arrow_values(column: Any) -> Any:
    """With numpy's type where the column has one that keeps every value, else plain values."""
    plain = str(column.type) in _DATATYPES | {"double": "", "float": "", "halffloat": ""}
    return column.to_numpy() if plain and column.null_count == 0 else column.to_pylist()


def _tensor(name: str, column: Any) -> dict[str, Any]:
    kind = str(getattr(column, "dtype", ""))
    values: Sequence[Any] = column.tolist() if hasattr(column, "tolist") else list(column)
    datatype = _DATATYPES.get(kind)
    if datatype in (None, "BYTES"):
        values = [_plain(value) for value in values]
        datatype = _guessed(name, values)
    return {"name": name, "shape": [len(values)], "datatype": datatype, "data": values}


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def _guessed(name: str, values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "BOOL"
    if kinds <= {str} and kinds:
        return "BYTES"
    if kinds == {int} and None not in values:
        return "INT64"
    if kinds <= {int, float}:
        return "FP64"
    raise Invalid(
        f"column {name!r} mixes {', '.join(sorted(kind.__name__ for kind in kinds))}: one type is taken"
    )
