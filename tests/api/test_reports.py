"""Reports over HTTP."""

import pytest

from kedge.api.native.messages import PREFIX

GOOD = {"name": "auc", "value": 0.7, "rule": ">= 0.6", "passed": True}
BAD = {"name": "brier", "value": None, "rule": "<= 0.2", "passed": False}
REPORT = {"gate": "good", "subject": "flights 3", "checks": [GOOD], "pipeline_run_id": "run", "step": "gate"}


def test_the_verdict_is_made_from_the_checks(http):
    passed = http.post(f"{PREFIX}/reports", json=REPORT)
    failed = http.post(f"{PREFIX}/reports", json={**REPORT, "checks": [GOOD, BAD], "mlflow_run_id": "m"})
    assert (passed.status_code, passed.json()["passed"]) == (201, True)
    assert (failed.status_code, failed.json()["passed"]) == (201, False)
    for reply in (passed, failed):
        assert http.get(f"{PREFIX}/reports/{reply.json()['id']}").json() == reply.json()
    assert http.get(f"{PREFIX}/reports").json() == [failed.json(), passed.json()]
    assert http.get(f"{PREFIX}/reports?pipeline_run_id=run").json() == [failed.json(), passed.json()]
    assert http.get(f"{PREFIX}/reports?mlflow_run_id=m").json() == [failed.json()]
    assert http.get(f"{PREFIX}/reports?pipeline_run_id=other").json() == []


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"checks": []}, "at least one check"),
        ({"gate": ""}, "$.gate"),
        ({"subject": "x" * 1001}, "$.subject"),
        ({"passed": True}, "passed"),
        ({"checks": [{**GOOD, "value": "0.7"}]}, "$.checks[0].value"),
        ({"checks": [{**GOOD, "passed": 1}]}, "$.checks[0].passed"),
    ],
)
def test_what_is_no_report_is_refused(http, fields, says):
    reply = http.post(f"{PREFIX}/reports", json={**REPORT, **fields})
    assert reply.status_code == 422
    assert says in reply.json()["error"]["message"]
    assert http.get(f"{PREFIX}/reports").json() == []


def test_an_unknown_report_is_not_found(http):
    reply = http.get(f"{PREFIX}/reports/none")
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found")
