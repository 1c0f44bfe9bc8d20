"""Judging a window by late labels: AUC, Brier score, base rate and calibration."""

from collections.abc import Mapping

from kedge.core.inference import InferenceSegment
from kedge.core.monitors import ColumnResult, Monitor, MonitorRun
from kedge.core.services import Services
from kedge.monitoring.labels import Judged, join_labels
from kedge.monitoring.measures import auc, brier, calibration, error_rate
from kedge.monitoring.outcome import Outcome
from kedge.monitoring.windows import Window

BASELINE_WINDOWS = 2
"""`auc_drop` is measured from the mean AUC of this many first windows of the monitor."""


class PerformanceJudge:
    """Computes how good the predictions of windows were; the first windows are what later ones are measured against."""

    def __init__(self, services: Services, monitor: Monitor, past: list[MonitorRun]) -> None:
        self._services = services
        self._monitor = monitor
        self._first_aucs = [run.metrics["auc"] for run in past if "auc" in run.metrics][:BASELINE_WINDOWS]

    def judge(self, window: Window, segments: list[InferenceSegment], rows: int) -> Outcome:
        """Join labels and measure; too few labelled rows give no verdict."""
        judged = join_labels(self._services, self._monitor.endpoint, segments, window)
        labelled = len(judged.labels)
        metrics = {"logged_rows": float(rows), "labelled_share": labelled / rows if rows else 0.0}
        notes = label_notes(judged)
        if labelled < self._monitor.minimum_rows:
            return Outcome(rows=labelled, verdict="too_few", metrics=metrics, notes=notes)
        metrics |= measured(judged, self._monitor.positive_threshold)
        if "auc" not in metrics:
            notes = (*notes, "one class alone was seen: no AUC")
        baseline = self._baseline()
        reasons = alarms(metrics, self._monitor.alert_when, baseline)
        if baseline is not None:
            metrics["auc_baseline"] = baseline
        if "auc" in metrics and len(self._first_aucs) < BASELINE_WINDOWS:
            self._first_aucs.append(metrics["auc"])
        return Outcome(
            rows=labelled,
            verdict="degraded" if reasons else "ok",
            metrics=metrics,
            results=(_calibrated(judged),) if "brier" in metrics else (),
            reasons=reasons,
            notes=notes,
        )

    def _baseline(self) -> float | None:
        complete = len(self._first_aucs) == BASELINE_WINDOWS
        return sum(self._first_aucs) / BASELINE_WINDOWS if complete else None


def measured(judged: Judged, positive_threshold: float) -> dict[str, float]:
    """The measures of a window; AUC needs both classes, Brier and calibration need predictions in [0, 1]."""
    labels, predictions = judged.labels, judged.predictions
    metrics = {
        "base_rate": float(labels.mean()),
        "mean_prediction": float(predictions.mean()),
        "error_rate": error_rate(labels, predictions, positive_threshold),
    }
    area = auc(labels, predictions)
    if area is not None:
        metrics["auc"] = area
    if predictions.min() >= 0 and predictions.max() <= 1:
        metrics["brier"] = brier(labels, predictions)
        metrics["calibration_error"] = calibration(labels, predictions).error
    return metrics


def alarms(
    metrics: Mapping[str, float], alert_when: Mapping[str, float], baseline: float | None
) -> tuple[str, ...]:
    """Which of the alert rules the window breaks, in words."""
    reasons = []
    area, score = metrics.get("auc"), metrics.get("brier")
    if area is not None and "auc_below" in alert_when and area < alert_when["auc_below"]:
        reasons.append(f"AUC {area:.3f} is below {alert_when['auc_below']:g}")
    if score is not None and "brier_above" in alert_when and score > alert_when["brier_above"]:
        reasons.append(f"Brier score {score:.3f} is above {alert_when['brier_above']:g}")
    if area is not None and baseline is not None and "auc_drop" in alert_when:
        drop = baseline - area
        if drop > alert_when["auc_drop"]:
            reasons.append(f"AUC {area:.3f} is {drop:.3f} below the first windows' {baseline:.3f}")
    return tuple(reasons)


def label_notes(judged: Judged) -> tuple[str, ...]:
    """What is to be said about labels that could not be used."""
    if not judged.unusable:
        return ()
    return (f"{judged.unusable} rows left out: label not 0 or 1, or prediction not a number",)


def _calibrated(judged: Judged) -> ColumnResult:
    """Mean prediction (as reference) and observed rate (as current) by bin of predicted probability."""
    found = calibration(judged.labels, judged.predictions)
    return ColumnResult(
        column="calibration",
        detector="Calibration",
        params={"rows": found.rows.tolist()},
        statistic=found.error,
        threshold=None,
        drift=False,
        bins=tuple(found.edges.tolist()),
        reference=tuple(found.predicted.tolist()),
        current=tuple(found.observed.tolist()),
    )
