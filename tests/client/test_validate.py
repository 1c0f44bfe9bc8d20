"""Gates from user code, over real HTTP."""

import math

import pytest

import kedge
from kedge.core.errors import GateFailed, Invalid

pytestmark = pytest.mark.usefixtures("sdk")


def test_a_gate_that_passes_is_stored(web):
    checks = [
        kedge.validate.at_least("auc", 0.7, 0.6),
        kedge.validate.at_most("brier", 0.1, 0.2),
        kedge.validate.check("rows", 10, "more than before", True),
    ]
    gate = kedge.validate.gate("good", "flights", checks, model_name="flights", model_version="3")
    assert gate.passed
    assert gate.require() is gate
    stored = web.services.reports.get(gate.id)
    assert stored == gate.report
    assert (stored.checks, stored.pipeline_run_id, stored.model_version) == (tuple(checks), None, "3")


def test_a_gate_that_fails_is_stored_and_says_why(web):
    gate = kedge.validate.gate("good", "flights", [kedge.validate.at_least("auc", math.nan, 0.6)])
    assert not gate.passed
    assert web.services.reports.get(gate.id).checks[0].value is None
    with pytest.raises(GateFailed, match="auc is no finite number"):
        gate.require()


def test_inside_a_step_it_is_tied_to_the_run(web, monkeypatch):
    monkeypatch.setenv("KEDGE_PIPELINE_RUN", "run1")
    monkeypatch.setenv("KEDGE_STEP", "gate")
    check = kedge.validate.at_least("auc", 1, 0)
    gate = kedge.validate.gate("good", "flights", [check], mlflow_run_id="m1")
    assert (gate.report.pipeline_run_id, gate.report.step) == ("run1", "gate")
    assert web.services.reports.reports(mlflow_run_id="m1") == [gate.report]


def test_a_gate_without_checks_is_refused(web):
    with pytest.raises(Invalid, match="at least one check"):
        kedge.validate.gate("good", "flights", [])
    assert web.services.reports.reports() == []
