"""What judging a window came to, whatever the kind of monitor."""

import msgspec

from kedge.core.monitors import ColumnResult, Verdict


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`reasons` say why someone should look at it: with any, an alert is raised. `state` is the detectors' after it."""

    rows: int
    verdict: Verdict
    results: tuple[ColumnResult, ...] = ()
    metrics: dict[str, float] = {}
    drift_share: float | None = None
    detectors: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    state: bytes | None = None
