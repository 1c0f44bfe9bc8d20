"""The whole room on a real data directory: real Parquet segments, labels, reference, jobs and pipeline runs."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from scipy.stats import ks_2samp
from sklearn.metrics import brier_score_loss, roc_auc_score

from kedge.core.errors import Invalid, NotFound
from kedge.core.monitors import COLUMN_VERDICT
from kedge.monitoring import evaluate as evaluating
from kedge.monitoring.definitions import MonitorBody, TriggerBody, define_monitor, define_trigger
from kedge.monitoring.due import due_windows, enqueue_due
from kedge.monitoring.evaluate import evaluate

_spec = importlib.util.spec_from_file_location("served", Path(__file__).with_name("served.py"))
served = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(served)
DAY, START, answers, job_of = served.DAY, served.START, served.answers, served.job_of

ROWS = 120
JANUARY, FEBRUARY, MARCH = START, START + 31 * DAY, START + 59 * DAY


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def platform(tmp_path):
    return served.Platform(tmp_path / "home")


def inputs_of(generator, rows, *, warm=0.0, carriers=(0.5, 0.3, 0.2)):
    return {
        "temp": generator.normal(10 + warm, 5, rows),
        "hour": generator.integers(5, 24, rows),
        "carrier": generator.choice(["AA", "B6", "UA"], rows, p=carriers),
        "quiet": generator.normal(0, 1, rows),
    }


def two_months(platform, *, days=64, every=3, labels=False, skill=0.4, later_skill=0.4):
    """January like the reference; from February on warmer and with other carriers."""
    generator = np.random.default_rng(1)
    reference = platform.add_reference(inputs_of(generator, 3000))
    for day in range(0, days, every):
        late = day >= 31
        inputs = inputs_of(
            generator, ROWS, warm=12 if late else 0, carriers=(0.1, 0.2, 0.7) if late else (0.5, 0.3, 0.2)
        )
        predictions, truth = answers(generator, ROWS, later_skill if late else skill)
        platform.log(day, inputs, predictions, truth if labels else None)
    return reference


def keep(platform, name, **fields):
    body = MonitorBody(endpoint="flights", **fields)
    monitor = define_monitor(platform.services, name, body)
    platform.services.monitors.save_monitor(monitor)
    return monitor


def keep_trigger(platform, project, **fields):
    body = {"params": {"until": "$window_end"}} | fields
    trigger = define_trigger(
        platform.services,
        "retrain",
        TriggerBody(monitor="drift", entry="flow.py:train", project=str(project), pipeline="train", **body),
    )
    platform.services.monitors.save_trigger(trigger)
    return trigger


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "flow.py").write_text(
        "import kedge\n\n\n@kedge.step\ndef fit(until: str) -> str:\n    return until\n\n\n"
        "@kedge.pipeline\ndef train(until: str) -> str:\n    return fit(until)\n"
    )
    return folder


def test_drift_by_month(platform):
    reference = two_months(platform)
    keep(platform, "drift", kind="drift", reference=(reference,), alert_when={"drift_share": 0.5})
    result = evaluate(platform.services, job_of("drift"))
    january, february = platform.services.monitors.runs(monitor="drift")
    assert result["runs"] == [january.id, february.id]
    assert [run.window_start_ms for run in (january, february)] == [JANUARY, FEBRUARY]
    assert [run.window_end_ms for run in (january, february)] == [FEBRUARY, MARCH]
    assert (january.verdict, january.drift_share) == ("ok", 0.0)
    assert (february.verdict, february.drift_share) == ("drift", 0.5)
    assert (february.model_name, february.model_version, february.deployment_id) == (
        "late",
        "1",
        platform.deployment,
    )
    assert february.reference == (reference,)
    assert february.rows == len([day for day in range(0, 64, 3) if 31 <= day < 59]) * ROWS
    verdicts = {
        row.column: row.drift
        for row in platform.services.monitors.results(february.id)
        if row.detector == COLUMN_VERDICT
    }
    assert verdicts == {"temp": True, "carrier": True, "hour": False, "quiet": False}
    (alert,) = platform.services.monitors.alerts()
    assert alert.event_ms == MARCH
    assert "2013-02" in alert.message
    assert "2 of 4 columns" in alert.message
    assert result["alerts"] == [alert.id]


def test_the_statistic_is_that_of_scipy_on_the_same_rows(platform):
    generator = np.random.default_rng(5)
    reference = generator.normal(0, 1, 2000)
    current = [generator.normal(0.2, 1.1, ROWS) for _ in range(3)]
    version = platform.add_reference({"x": reference})
    for day, values in enumerate(current):
        platform.log(day, {"x": values}, np.full(ROWS, 0.5))
    # A row of the next month, which also closes January.
    platform.log(31, {"x": np.full(ROWS, 99.0)}, np.full(ROWS, 0.5))
    keep(platform, "drift", kind="drift", reference=(version,))
    evaluate(platform.services, job_of("drift"))
    (run,) = platform.services.monitors.runs()
    (found,) = [
        row
        for row in platform.services.monitors.results(run.id, column="x")
        if row.detector == "KolmogorovSmirnov"
    ]
    golden = ks_2samp(reference, np.concatenate(current), method="asymp")
    assert found.statistic == pytest.approx(golden.statistic, abs=1e-12)
    assert found.p_value == pytest.approx(golden.pvalue, rel=0.02, abs=1e-6)
    assert sum(found.reference) == pytest.approx(1)
    assert len(found.bins) == len(found.current) + 1


def test_evaluating_again_writes_nothing(platform):
    reference = two_months(platform)
    keep(platform, "drift", kind="drift", reference=(reference,), alert_when={"drift_share": 0.5})
    evaluate(platform.services, job_of("drift"))
    before = (
        list(platform.database.rows("SELECT * FROM kedge_monitor_run")),
        platform.services.monitors.alerts(),
    )
    again = evaluate(platform.services, job_of("drift"))
    assert (again["runs"], again["alerts"]) == ([], [])
    after = (
        list(platform.database.rows("SELECT * FROM kedge_monitor_run")),
        platform.services.monitors.alerts(),
    )
    assert [tuple(row) for row in before[0]] == [tuple(row) for row in after[0]]
    assert before[1] == after[1]


def test_until_closes_an_open_window(platform):
    reference = two_months(platform, days=50)
    keep(platform, "drift", kind="drift", reference=(reference,))
    assert len(evaluate(platform.services, job_of("drift"))["runs"]) == 1
    assert evaluate(platform.services, job_of("drift", MARCH - 1))["runs"] == []
    assert len(evaluate(platform.services, job_of("drift", MARCH))["runs"]) == 1
    assert due_windows(platform.services, platform.services.monitors.get_monitor("drift"), MARCH) == []


def test_too_few_rows_give_no_verdict(platform):
    reference = two_months(platform, days=40, every=9)
    keep(platform, "drift", kind="drift", reference=(reference,), minimum_rows=ROWS * 5)
    evaluate(platform.services, job_of("drift"))
    (run,) = platform.services.monitors.runs()
    assert (run.verdict, run.rows) == ("too_few", ROWS * 4)
    assert platform.services.monitors.results(run.id) == []


def test_a_window_of_two_models_says_so(platform):
    reference = two_months(platform, days=20)
    second = platform.deploy("2")
    generator = np.random.default_rng(2)
    for day in (21, 22, 32):
        platform.log(day, inputs_of(generator, ROWS), np.full(ROWS, 0.5), deployment=second)
    keep(platform, "drift", kind="drift", reference=(reference,))
    evaluate(platform.services, job_of("drift"))
    (run,) = platform.services.monitors.runs()
    assert (run.model_version, run.deployment_id) == ("1", platform.deployment)
    assert run.note == "answered by late 1 78%, late 2 22%"


def test_missing_values_and_columns_are_noted(platform):
    generator = np.random.default_rng(4)
    reference = platform.add_reference(
        {"x": generator.normal(0, 1, 500), "gone": generator.normal(0, 1, 500)}
    )
    for day in (1, 32):
        values = [
            None if place % 4 == 0 else float(value)
            for place, value in enumerate(generator.normal(0, 1, 400))
        ]
        platform.log(day, {"x": values, "unknown": ["a"] * 400}, np.full(400, 0.5))
    keep(platform, "drift", kind="drift", reference=(reference,), columns=("x", "gone"))
    evaluate(platform.services, job_of("drift"))
    (run,) = platform.services.monitors.runs()
    assert run.metrics["missing.x"] == 0.25
    assert run.metrics["columns"] == 1
    assert "not among the inputs: gone" in run.note


def test_one_wrong_event_time_makes_no_thousand_windows(platform):
    reference = two_months(platform, days=3)
    generator = np.random.default_rng(9)
    at_ms = np.append(START + 2 * DAY + np.arange(ROWS), 2**52)  # the year 144683
    platform.log(2, inputs_of(generator, ROWS + 1), np.full(ROWS + 1, 0.5), at_ms=at_ms, request="wrong")
    keep(platform, "drift", kind="drift", period="day", reference=(reference,))
    evaluate(platform.services, job_of("drift"))
    assert [(run.window_start_ms - START) // DAY for run in platform.services.monitors.runs()] == [0, 2]


def test_performance_by_week(platform):
    generator = np.random.default_rng(3)
    days = {}
    for day in range(28):
        days[day] = answers(generator, ROWS, 0.4 if day < 13 else 0.02)
        platform.log(day, {"x": np.zeros(ROWS)}, *days[day])
    keep(
        platform,
        "quality",
        kind="performance",
        period="week",
        label_delay_ms=DAY,
        alert_when={"auc_below": 0.7, "brier_above": 0.5, "auc_drop": 0.2},
    )
    evaluate(platform.services, job_of("quality"))
    runs = platform.services.monitors.runs(monitor="quality")
    # 2013-01-01 is a Tuesday: the first week holds six days. Labels are known up to day 29.
    assert [(run.window_start_ms - START) // DAY for run in runs] == [-1, 6, 13, 20]
    for run, logged in zip(runs, (range(6), range(6, 13), range(13, 20), range(20, 27)), strict=True):
        predictions, labels = (
            np.concatenate(part) for part in zip(*(days[day] for day in logged), strict=True)
        )
        assert run.rows == len(labels)
        assert run.metrics["auc"] == pytest.approx(roc_auc_score(labels, predictions), abs=1e-12)
        assert run.metrics["brier"] == pytest.approx(brier_score_loss(labels, predictions), abs=1e-12)
        assert run.metrics["base_rate"] == pytest.approx(labels.mean())
        assert run.metrics["labelled_share"] == 1.0
    assert [run.verdict for run in runs] == ["ok", "ok", "degraded", "degraded"]
    (calibrated,) = platform.services.monitors.results(runs[0].id)
    assert sum(calibrated.params["rows"]) == runs[0].rows
    alert = platform.services.monitors.alerts()[-1]
    assert alert.monitor_run_id == runs[2].id
    assert "is below 0.7" in alert.message
    assert "below the first windows'" in alert.message


def test_performance_waits_for_labels_and_needs_enough(platform):
    generator = np.random.default_rng(3)
    for day in range(21):
        predictions, labels = answers(generator, ROWS, 0.4)
        platform.log(day, {"x": np.zeros(ROWS)}, predictions, labels if day < 2 else None)
    keep(platform, "quality", kind="performance", period="week", label_delay_ms=DAY, minimum_rows=500)
    assert evaluate(platform.services, job_of("quality"))["runs"] == []
    evaluate(platform.services, job_of("quality", START + 6 * DAY))
    (run,) = platform.services.monitors.runs()
    assert (run.verdict, run.rows) == ("too_few", 2 * ROWS)
    assert run.metrics["labelled_share"] == pytest.approx(2 / 6)


STREAM = {"error": [{"name": "PageHinkley", "threshold": 0.6, "min_instances": 5, "delta": 0.01}]}


def stream_of_days(platform, first=0, last=40):
    generator = np.random.default_rng(8)
    for day in range(first, last):
        predictions, labels = answers(generator, ROWS, 0.5)
        platform.log(day, {"x": np.zeros(ROWS)}, predictions, labels if day < 20 else 1 - labels)


def test_a_stream_counts_every_day_once_also_when_killed(platform, monkeypatch):
    stream_of_days(platform)
    keep(platform, "whole", kind="stream", detectors=STREAM)
    evaluate(platform.services, job_of("whole", START + 40 * DAY))
    keep(platform, "cut", kind="stream", detectors=STREAM)
    save_run = type(platform.services.monitors).save_run
    for saves in (1, 4, 5, 12):
        calls = []

        def dying(store, *arguments, calls=calls, saves=saves):
            saved = save_run(store, *arguments)
            calls.append(saved)
            if len(calls) == saves:
                raise Killed
            return saved

        with monkeypatch.context() as patched:
            patched.setattr(type(platform.services.monitors), "save_run", dying)
            with pytest.raises(Killed):
                evaluate(platform.services, job_of("cut", START + 40 * DAY))
        platform.services, platform.database = platform.open()
    evaluate(platform.services, job_of("cut", START + 40 * DAY))
    monitors = platform.services.monitors
    whole, cut = monitors.runs(monitor="whole"), monitors.runs(monitor="cut")
    assert len(whole) == len(cut) == 40
    assert [run.metrics for run in whole] == [run.metrics for run in cut]
    assert [run.verdict for run in whole] == [run.verdict for run in cut]
    assert monitors.detector_state("whole") == monitors.detector_state("cut")
    first = next(run for run in whole if run.verdict == "drift")
    assert 20 <= (first.window_start_ms - START) // DAY <= 26
    assert len(monitors.alerts(limit=1000)) == 2 * len([run for run in whole if run.verdict == "drift"])


def test_other_detectors_start_anew(platform):
    stream_of_days(platform, 0, 6)
    keep(platform, "stream", kind="stream", detectors=STREAM)
    evaluate(platform.services, job_of("stream", START + 6 * DAY))
    stream_of_days(platform, 6, 12)
    keep(platform, "stream", kind="stream", detectors={"error": [{"name": "ADWIN"}]})
    evaluate(platform.services, job_of("stream", START + 12 * DAY))
    runs = platform.services.monitors.runs()
    assert [run.detectors for run in runs] == [("PageHinkley",)] * 6 + [("ADWIN",)] * 6


def test_an_alert_starts_the_pipeline_once(platform, project):
    reference = two_months(platform)
    keep(platform, "drift", kind="drift", reference=(reference,), alert_when={"drift_share": 0.5})
    keep_trigger(platform, project)
    result = evaluate(platform.services, job_of("drift"))
    (run,) = platform.services.pipelines.runs()
    (alert,) = platform.services.monitors.alerts()
    assert result["fired"] == [run.id]
    assert alert.pipeline_run_id == run.id
    assert run.params == {"until": "2013-03-01"}
    assert run.trigger == f"alert:{alert.id}:retrain"
    assert platform.services.monitors.triggers()[0].last_fired_ms == MARCH
    assert evaluate(platform.services, job_of("drift"))["fired"] == []
    assert len(platform.services.pipelines.runs()) == 1


@pytest.mark.parametrize("died", ["before the pipeline run", "after the pipeline run"])
def test_a_firing_cut_short_is_made_good_once(platform, project, monkeypatch, died):
    reference = two_months(platform)
    keep(platform, "drift", kind="drift", reference=(reference,), alert_when={"drift_share": 0.5})
    keep_trigger(platform, project)

    def dying(*_arguments, **_named):
        raise Killed

    with monkeypatch.context() as patched:
        if died == "before the pipeline run":
            patched.setattr(evaluating, "fire", dying)
        else:
            patched.setattr(type(platform.services.monitors), "record_firing", dying)
        with pytest.raises(Killed):
            evaluate(platform.services, job_of("drift"))
    platform.services, platform.database = platform.open()
    assert platform.services.monitors.alerts()[0].pipeline_run_id is None
    assert [job.payload["monitor"] for job in enqueue_due(platform.services)] == ["drift"]
    evaluate(platform.services, job_of("drift"))
    (run,) = platform.services.pipelines.runs()
    assert platform.services.monitors.alerts()[0].pipeline_run_id == run.id


def test_a_trigger_that_cannot_fire_does_so_later(platform, project):
    reference = two_months(platform)
    keep(platform, "drift", kind="drift", reference=(reference,), alert_when={"drift_share": 0.5})
    keep_trigger(platform, project)
    with platform.database.write() as connection:
        connection.execute("ALTER TABLE kedge_pipeline_run RENAME TO elsewhere")
    result = evaluate(platform.services, job_of("drift"))
    assert len(result["alerts"]) == 1
    assert result["fired"] == []
    assert "retrain" in result["not_fired"][0]
    with platform.database.write() as connection:
        connection.execute("ALTER TABLE elsewhere RENAME TO kedge_pipeline_run")
    assert len(evaluate(platform.services, job_of("drift"))["fired"]) == 1


def test_a_pipeline_run_without_its_job_is_queued(platform, project, monkeypatch):
    reference = two_months(platform)
    keep(platform, "drift", kind="drift", reference=(reference,), alert_when={"drift_share": 0.5})
    keep_trigger(platform, project)

    def dying(*_arguments, **_named):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(type(platform.services.jobs), "enqueue", dying)
        with pytest.raises(Killed):
            evaluate(platform.services, job_of("drift"))
    evaluate(platform.services, job_of("drift"))
    (run,) = platform.services.pipelines.runs()
    assert platform.services.jobs.get(run.job_id).payload == {"run_id": run.id}


def test_a_trigger_answers_for_alerts_from_now_on(platform, project):
    reference = two_months(platform)
    keep(platform, "drift", kind="drift", reference=(reference,), alert_when={"drift_share": 0.5})
    evaluate(platform.services, job_of("drift"))
    (alert,) = platform.services.monitors.alerts()
    trigger = keep_trigger(platform, project)
    platform.services.monitors.save_trigger(replace(trigger, created_ms=alert.created_ms + 1))
    assert evaluate(platform.services, job_of("drift"))["fired"] == []


def test_due_monitors_are_queued_once(platform):
    reference = two_months(platform, days=20)
    keep(platform, "drift", kind="drift", reference=(reference,))
    assert enqueue_due(platform.services) == []
    platform.log(31, inputs_of(np.random.default_rng(0), ROWS), np.full(ROWS, 0.5))
    (job,) = enqueue_due(platform.services)
    assert job.payload == {"monitor": "drift", "until_ms": None}
    assert [again.id for again in enqueue_due(platform.services)] == [job.id]
    claimed = platform.services.jobs.claim("w", kinds=("monitor",), lease_ms=60_000)
    result = evaluate(platform.services, claimed)
    assert platform.services.jobs.finish(claimed, state="succeeded", result=result)
    assert enqueue_due(platform.services) == []


def test_a_disabled_monitor_and_a_failed_one_rest(platform):
    reference = two_months(platform, days=40)
    keep(platform, "off", kind="drift", reference=(reference,), enabled=False)
    keep(platform, "drift", kind="drift", reference=(reference,))
    (job,) = enqueue_due(platform.services)
    assert job.payload["monitor"] == "drift"
    claimed = platform.services.jobs.claim("w", kinds=("monitor",), lease_ms=60_000)
    platform.services.jobs.finish(claimed, state="failed", error="broken")
    assert enqueue_due(platform.services) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "drift"}, "no reference"),
        ({"kind": "drift", "reference": ("flights@reference",), "columns": ("speed",)}, "'speed'"),
        (
            {"kind": "drift", "reference": ("flights@reference",), "alert_when": {"auc_below": 0.5}},
            "drift_share",
        ),
        ({"kind": "performance", "alert_when": {"auc_below": 7}}, "[0, 1]"),
        ({"kind": "performance", "reference": ("flights@reference",)}, "only a drift monitor"),
        ({"kind": "stream", "detectors": {"x": [{"name": "ADWIN"}]}}, "'error'"),
        ({"kind": "stream", "detectors": {"error": [{"name": "KS"}]}}, "ADWIN"),
        (
            {
                "kind": "drift",
                "reference": ("flights@reference",),
                "detectors": {"*numeric": [{"name": "chi2"}]},
            },
            "one kind",
        ),
        ({"kind": "drift", "reference": ("flights@reference",), "minimum_rows": 0}, "minimum_rows"),
    ],
)
def test_a_wrong_definition_is_refused(platform, fields, said):
    platform.add_reference({"x": np.arange(5.0)})
    with pytest.raises(Invalid) as raised:
        keep(platform, "m", **fields)
    assert said in str(raised.value)
    assert platform.services.monitors.monitors() == []


def test_unknown_endpoints_and_versions_are_not_found(platform):
    with pytest.raises(NotFound):
        define_monitor(platform.services, "m", MonitorBody(endpoint="trains", kind="performance"))
    with pytest.raises(NotFound):
        keep(platform, "m", kind="drift", reference=("0" * 32,))
    with pytest.raises(Invalid, match="cannot name a monitor"):
        keep(platform, "../m", kind="performance")
