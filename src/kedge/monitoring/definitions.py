"""What people may ask of a monitor or trigger, checked before it is kept; imports nothing heavy, for the web process."""

from typing import Any

import msgspec

from kedge.core.errors import Invalid
from kedge.core.ids import is_name
from kedge.core.monitors import Monitor, MonitorKind, Period, Trigger
from kedge.core.services import Services
from kedge.monitoring.specs import DETECTORS, checked

ANY_NUMERIC = "*numeric"
ANY_CATEGORICAL = "*categorical"
STREAM = "error"
"""What a stream monitor's detectors read: the share of wrong answers of a window."""

DAILY: dict[str, dict[str, Any]] = {
    "PageHinkley": {"delta": 0.02, "threshold": 1.0, "min_instances": 14, "direction": "up"},
    "ADWIN": {"clock": 1},
}
"""What a stream monitor sets where its definition does not: the library's defaults are made for long streams of large
values. An error rate that rises by 0.1 makes Page-Hinkley alarm in about two weeks; ADWIN looks at every day."""

DEFAULT_DETECTORS: dict[MonitorKind, dict[str, list[dict[str, Any]]]] = {
    "drift": {
        ANY_NUMERIC: [
            {"name": "KolmogorovSmirnov", "method": "asymptotic"},
            {"name": "PopulationStabilityIndex"},
        ],
        ANY_CATEGORICAL: [{"name": "ChiSquare"}, {"name": "PopulationStabilityIndex"}],
    },
    "performance": {},
    "stream": {STREAM: [{"name": "PageHinkley", **DAILY["PageHinkley"]}]},
}
_ALERT_KEYS: dict[MonitorKind, tuple[str, ...]] = {
    "drift": ("drift_share",),
    "performance": ("auc_below", "brier_above", "auc_drop"),
    "stream": (),
}
_LONGEST_DELAY_MS = 366 * 86_400_000


class MonitorBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A monitor as it is asked for; its name and time come from elsewhere. `reference` takes version ids and `dataset@ref`."""

    endpoint: str
    kind: MonitorKind
    period: Period | None = None
    reference: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    detectors: dict[str, list[dict[str, Any]]] = {}
    alert_when: dict[str, float] = {}
    label_delay_ms: int = 0
    minimum_rows: int = 100
    positive_threshold: float = 0.5
    enabled: bool = True


class TriggerBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A trigger as it is asked for."""

    monitor: str
    entry: str
    project: str
    pipeline: str
    params: dict[str, Any] = {}
    cooldown_ms: int = 0
    enabled: bool = True


def define_monitor(services: Services, name: str, body: MonitorBody) -> Monitor:
    """The monitor that `body` asks for. Raises Invalid or NotFound; a monitor that exists keeps its time of creation."""
    _check_name("monitor", name)
    services.deployments.endpoint(body.endpoint)
    _check_numbers(name, body)
    existing = [monitor for monitor in services.monitors.monitors() if monitor.name == name]
    reference = _reference(services, name, body)
    return Monitor(
        name=name,
        endpoint=body.endpoint,
        kind=body.kind,
        period=body.period or {"drift": "month", "performance": "week", "stream": "day"}[body.kind],  # type: ignore[arg-type]
        created_ms=existing[0].created_ms if existing else services.clock.now_ms(),
        reference=reference,
        columns=body.columns,
        detectors=_detectors(name, body),
        alert_when=body.alert_when,
        label_delay_ms=body.label_delay_ms,
        minimum_rows=body.minimum_rows,
        positive_threshold=body.positive_threshold,
        enabled=body.enabled,
    )


def define_trigger(services: Services, name: str, body: TriggerBody) -> Trigger:
    """The trigger that `body` asks for. It answers for alerts from now on, unless it stands just so already."""
    _check_name("trigger", name)
    services.monitors.get_monitor(body.monitor)
    if body.cooldown_ms < 0:
        raise Invalid(f"trigger {name!r}: the cooldown is {body.cooldown_ms} ms; it cannot be negative")
    asked = Trigger(name=name, created_ms=services.clock.now_ms(), **msgspec.structs.asdict(body))
    for standing in services.monitors.triggers():
        if standing.name == name:
            same = msgspec.structs.replace(
                asked, created_ms=standing.created_ms, last_fired_ms=standing.last_fired_ms
            )
            return (
                same
                if same == standing
                else msgspec.structs.replace(asked, last_fired_ms=standing.last_fired_ms)
            )
    return asked


def _check_name(what: str, name: str) -> None:
    if not is_name(name):
        raise Invalid(
            f"{name!r} cannot name a {what}",
            hint="use letters, digits, `.`, `_` and `-`, beginning and ending with a letter or digit, at most 128",
        )


def _check_numbers(name: str, body: MonitorBody) -> None:
    allowed = _ALERT_KEYS[body.kind]
    for key, value in body.alert_when.items():
        if key not in allowed:
            raise Invalid(
                f"monitor {name!r}: a {body.kind} monitor has no alert rule {key!r}",
                hint=f"its rules are {', '.join(allowed)}"
                if allowed
                else "it alerts when a detector sees drift",
            )
        if not 0 <= value <= 1:
            raise Invalid(f"monitor {name!r}: alert rule {key} is {value}; it must lie in [0, 1]")
    if body.minimum_rows < 1:
        raise Invalid(f"monitor {name!r}: minimum_rows is {body.minimum_rows}; it must be at least 1")
    if not 0 <= body.label_delay_ms <= _LONGEST_DELAY_MS:
        raise Invalid(
            f"monitor {name!r}: the label delay is {body.label_delay_ms} ms; it must be 0 to 366 days"
        )
    if not 0 <= body.positive_threshold <= 1:
        raise Invalid(
            f"monitor {name!r}: positive_threshold is {body.positive_threshold}; it must lie in [0, 1]"
        )


def _reference(services: Services, name: str, body: MonitorBody) -> tuple[str, ...]:
    """Ids of the reference versions, which must hold the columns that are watched."""
    if body.kind != "drift":
        if body.reference or body.columns:
            raise Invalid(f"monitor {name!r}: only a drift monitor has a reference and columns")
        return ()
    if not body.reference:
        raise Invalid(
            f"monitor {name!r} has no reference to compare with",
            hint="name dataset versions, such as flights@2013-01",
        )
    ids = []
    for ref in body.reference:
        dataset, at, version_ref = ref.partition("@")
        version = services.datasets.get(dataset, version_ref) if at else services.datasets.get_by_id(ref)
        known = {column.name for column in version.columns}
        missing = [column for column in body.columns if known and column not in known]
        if missing:
            raise Invalid(
                f"monitor {name!r}: version {version.number} of dataset {version.dataset!r} "
                f"has no column {missing[0]!r}",
                hint=f"its columns are {', '.join(sorted(known))}",
            )
        ids.append(version.id)
    return tuple(ids)


def _detectors(name: str, body: MonitorBody) -> dict[str, list[dict[str, Any]]]:
    """Checked specs by column; what is not named comes from the defaults of the kind."""
    if body.kind == "performance" and body.detectors:
        raise Invalid(f"monitor {name!r}: a performance monitor has no detectors", hint="use alert_when")
    detectors = dict(DEFAULT_DETECTORS[body.kind])
    for column, specs in body.detectors.items():
        where = f"monitor {name!r}, {column}"
        if body.kind == "stream" and column != STREAM:
            raise Invalid(f"{where}: a stream monitor reads {STREAM!r} alone")
        streaming = body.kind == "stream"
        named = [checked(spec, where, streaming=streaming) for spec in specs]
        detectors[column] = [DAILY[spec["name"]] | spec if streaming else spec for spec in named]
        _check_fit(where, column, [spec["name"] for spec in detectors[column]])
    return detectors


def _check_fit(where: str, column: str, names: list[str]) -> None:
    if not names:
        raise Invalid(f"{where}: no detector is named", hint="leave the entry out to use the defaults")
    if len(set(names)) < len(names):
        raise Invalid(f"{where}: a detector is named twice")
    takes = {DETECTORS[name].takes for name in names}
    unfit = {ANY_NUMERIC: "categorical", ANY_CATEGORICAL: "numeric"}.get(column)
    if unfit in takes or {"numeric", "categorical"} <= takes:
        raise Invalid(f"{where}: {', '.join(names)} do not all read one kind of column")
