"""The Open Inference Protocol: what it answers, and how it refuses."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

INFER = "/v2/models/flights/infer"


def body(**changes):
    """A valid request for two rows; `changes` replace members, or inputs by name."""
    tensors = {
        "hour": {"name": "hour", "shape": [2], "datatype": "INT64", "data": [1, 20]},
        "distance": {"name": "distance", "shape": [2, 1], "datatype": "FP64", "data": [[1.5], [None]]},
        "carrier": {"name": "carrier", "shape": [2], "datatype": "BYTES", "data": ["AA", "UA"]},
        "late": {"name": "late", "shape": [2], "datatype": "BOOL", "data": [True, False]},
    }
    for name in tensors:
        tensors[name] |= changes.pop(name, {})
    return {"id": "one", "inputs": list(tensors.values()), **changes}


def test_server_health_and_metadata(server):
    assert server.ask("GET", "/v2").json() == {"name": "kedge", "version": "0", "extensions": []}
    assert server.ask("GET", "/v2/health/live").status_code == 200
    assert server.ask("GET", "/v2/health/ready").status_code == 200
    for path in ("/v2/models/flights", "/v2/models/flights/versions/1"):
        answer = server.ask("GET", path).json()
        assert answer["name"] == "flights"
        assert answer["versions"] == ["1"]
        assert [(i["name"], i["datatype"], i["shape"]) for i in answer["inputs"]] == [
            ("hour", "INT64", [-1]),
            ("distance", "FP64", [-1]),
            ("carrier", "BYTES", [-1]),
            ("late", "BOOL", [-1]),
        ]
        assert answer["outputs"] == [{"name": "predict_proba", "datatype": "FP64", "shape": [-1, 2]}]
        assert server.ask("GET", path + "/ready").json() == {"name": "flights", "ready": True}
    line = server.ask("GET", "/v2/models/line").json()
    assert line["inputs"] == [{"name": "input-0", "datatype": "FP64", "shape": [-1, 3]}]
    server.table.ready.clear()
    reply = server.ask("GET", "/v2/health/ready")
    assert (reply.status_code, set(reply.json())) == (503, {"error"})


@pytest.mark.parametrize("path", [INFER, "/v2/models/flights/versions/1/infer"])
def test_served_equals_direct(server, models, make_frame, path):
    rows = make_frame(20, seed=3)
    inputs = [
        {"name": "hour", "shape": [20], "datatype": "INT32", "data": rows["hour"].tolist()},
        {
            "name": "distance",
            "shape": [20, 1],
            "datatype": "FP64",
            "data": [[v] for v in rows["distance"].tolist()],
        },
        {"name": "carrier", "shape": [20], "datatype": "BYTES", "data": rows["carrier"].tolist()},
        {"name": "late", "shape": [20], "datatype": "BOOL", "data": rows["late"].tolist()},
    ]
    answer = server.ask("POST", path, json={"id": "seven", "inputs": inputs}).json()
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("flights", "1", "seven")
    [output] = answer["outputs"]
    assert (output["name"], output["shape"], output["datatype"]) == ("predict_proba", [20, 2], "FP64")
    direct = models.flights_estimator.predict_proba(rows)
    assert np.array_equal(np.array(output["data"]).reshape(20, 2), direct)


def test_null_is_a_missing_value_and_an_id_is_made(server, models, make_frame):
    request = body()
    del request["id"]
    answer = server.ask("POST", INFER, json=request).json()
    assert len(answer["id"]) == 32
    rows = make_frame(2)
    rows["hour"], rows["distance"], rows["carrier"] = [1, 20], [1.5, np.nan], ["AA", "UA"]
    rows["late"] = [True, False]
    direct = models.flights_estimator.predict_proba(rows)
    assert answer["outputs"][0]["data"] == direct.reshape(-1).tolist()


def test_tensors_flat_nested_and_without_signature(server):
    data = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    flat = [value for row in data for value in row]
    for name in ("line", "bare"):
        for values in (data, flat):
            for datatype in ("FP64", "FP32", "INT8", "UINT64"):
                if "INT" in datatype:
                    values = [[int(v) for v in row] for row in data] if values is data else [1, 2, 3, 4, 5, 6]
                tensor = {"name": "x", "shape": [2, 3], "datatype": datatype, "data": values}
                answer = server.ask("POST", f"/v2/models/{name}/infer", json={"inputs": [tensor]}).json()
                assert answer["outputs"][0]["shape"] == [2]
                assert answer["outputs"][0]["data"] == pytest.approx([6, 15])


def test_outputs_are_selected(server):
    reply = server.ask("POST", INFER, json=body(outputs=[{"name": "predict_proba"}]))
    assert reply.status_code == 200
    reply = server.ask("POST", INFER, json=body(outputs=[{"name": "label"}]))
    assert (reply.status_code, reply.json()["error"]) == (
        400,
        "output 'label' is not one of the model's: predict_proba",
    )


REFUSED = [
    (body(hour={"data": [1, 1.5]}), "input 'hour' has 1.5 at place 1: a INT64 value is an integer"),
    (body(hour={"data": [1, None]}), "input 'hour' has None at place 1"),
    (body(hour={"data": [1, True]}), "input 'hour' has True at place 1"),
    (body(hour={"datatype": "INT8", "data": [1, 300]}), "input 'hour' has 300 at place 1: a INT8"),
    (body(hour={"datatype": "UINT16", "data": [-1, 3]}), "input 'hour' has -1 at place 0"),
    (
        body(hour={"datatype": "FP64", "data": [0.5, 3]}),
        "input 'hour' has the value 0.5: the model takes int64",
    ),
    (body(hour={"datatype": "FP64", "data": [None, 3]}), "input 'hour' has the value nan"),
    (body(hour={"datatype": "INT65"}), "input 'hour' has datatype 'INT65': one of BOOL, INT8"),
    (body(hour={"data": [1]}), "input 'hour' has 1 values: shape [2] means 2"),
    (body(hour={"shape": [-2]}), "input 'hour' has shape [-2]"),
    (body(hour={"shape": [1, 2]}), "input 'hour' has shape [1, 2]: a column has shape [n] or [n, 1]"),
    (body(hour={"shape": [3], "data": [1, 2, 3]}), "has 2 rows but 'hour' has 3"),
    (body(hour={"shape": [1] * 9, "data": [1]}), "input 'hour' has shape"),
    (body(hour={"name": "minute"}), "input 'minute' is not one of the model's"),
    (body(hour={"name": "late"}), "input 'late' is given twice"),
    (
        body(distance={"data": [[1.0], ["x"]]}),
        "input 'distance' has 'x' at place 1: a FP64 value is a number",
    ),
    (body(distance={"data": [[1.0], []]}), "input 'distance' is nested otherwise than its shape [2, 1] says"),
    (body(distance={"datatype": "FP32", "data": [[1e300], [1]]}), "input 'distance' has 1e+300 at place 0"),
    (body(distance={"datatype": "BYTES", "data": [["a"], ["b"]]}), "input 'distance' holds text values"),
    (body(late={"data": [1, 0]}), "input 'late' has 1 at place 0: a BOOL value is true or false"),
    (body(late={"datatype": "INT64", "data": [1, 0]}), "input 'late' holds int64 values"),
    (body(carrier={"data": [1, "UA"]}), "input 'carrier' has 1 at place 0: a BYTES value is text"),
    (body(carrier={"data": ["AA", "ZZ"]}), "refused these rows: ValueError: Found unknown categories ['ZZ']"),
    (body(inputs=[]), "the request has no inputs"),
    (body(inputs=body()["inputs"][:3]), "input 'late' (boolean) is missing"),
    (body(parameters={"event_time_ms": "now"}), "parameter 'event_time_ms' is 'now'"),
    (body(parameters={"event_time_ms": True}), "parameter 'event_time_ms' is True"),
    (body(parameters={"event_time_ms": 2**52}), "more than a day ahead of now"),
    (body(id=7), "Expected `str | null`, got `int` - at `$.id`"),
    (body(id="x" * 257), "the id has 257 characters"),
    ({"inputs": [{"name": "x"}]}, "missing required field `shape` - at `$.inputs[0]`"),
    ([], "Expected `object`, got `array`"),
]


@pytest.mark.parametrize(("request_body", "message"), REFUSED, ids=[message[:60] for _, message in REFUSED])
def test_malformed_requests_are_refused_by_name(server, request_body, message):
    reply = server.ask("POST", INFER, json=request_body)
    assert reply.status_code == 400
    assert set(reply.json()) == {"error"}
    assert message in reply.json()["error"]


@pytest.mark.parametrize(
    "kind",
    [None, "", "application/json", "Application/JSON; Charset=UTF-8", 'application/json;charset="utf-8";v=1'],
)
def test_json_may_be_declared_or_not(server, kind):
    import json

    headers = {} if kind is None else {"content-type": kind}
    assert server.ask("POST", INFER, content=json.dumps(body()), headers=headers).status_code == 200


@pytest.mark.parametrize(
    "kind",
    ["application/octet-stream", "text/plain", "application/jsonl", "application/json; charset=latin-1"],
)
def test_other_content_types_are_refused(server, kind):
    reply = server.ask("POST", INFER, json=body(), headers={"content-type": kind})
    assert reply.status_code == 415
    assert reply.json() == {"error": f"content type {kind!r} is not taken: application/json, in UTF-8"}


@pytest.mark.parametrize("host", ["evil.com", "127.0.0.1.evil.com", "localhost.evil.com:80", "[::2]:80", ""])
@pytest.mark.parametrize("path", ["/health", "/v2/models/flights", "/version", "/nothing"])
def test_other_host_names_are_misdirected(server, host, path):
    """A page of another site whose name was pointed at this address must read nothing."""
    reply = server.ask("GET", path, headers={"host": host})
    assert reply.status_code == 421
    assert set(reply.json()) == ({"error"} if path.startswith("/v2") else {"error_code", "message"})
    assert f"host {host!r} is not one of ours; name it in allowed_hosts" in reply.text


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "LOCALHOST", "[::1]:8080"])
def test_loopback_names_pass(server, host):
    assert server.ask("GET", "/health", headers={"host": host}).status_code == 200


def test_other_refusals_have_the_protocols_shape(server):
    for status, method, path, rest in (
        (400, "POST", INFER, {"content": b"{"}),
        (400, "POST", INFER, {"content": b""}),
        (400, "POST", INFER, {"content": b"[" * 100_000}),
        (400, "POST", INFER, {"content": b'{"inputs": "\xff"}'}),
        (400, "POST", INFER, {"json": body(), "headers": {"inference-header-content-length": "10"}}),
        (403, "POST", INFER, {"json": body(), "headers": {"origin": "http://evil"}}),
        (404, "POST", "/v2/models/nothing/infer", {"json": body()}),
        (404, "POST", "/v2/models/flights/versions/2/infer", {"json": body()}),
        (404, "GET", "/v2/models/nothing", {}),
        (404, "GET", "/v2/models/nothing/ready", {}),
        (404, "GET", "/v2/nothing", {}),
        (404, "GET", "/v2/models/flights/nothing", {}),
        (404, "GET", "/v2/models", {}),
        (405, "GET", INFER, {}),
        (405, "POST", "/v2/models/flights", {}),
        (405, "DELETE", "/v2", {}),
        (413, "POST", INFER, {"content": b" " * (16 * 1024 * 1024 + 1)}),
        (415, "POST", INFER, {"json": body(), "headers": {"content-encoding": "gzip"}}),
    ):
        reply = server.ask(method, path, **rest)
        assert reply.status_code == status, (method, path, reply.text)
        assert set(reply.json()) == {"error"}
        assert reply.json()["error"]


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
tensors = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["hour", "distance", "carrier", "late", "x"]),
        "shape": st.lists(st.integers(-1, 4), max_size=3) | st.just([2]),
        "datatype": st.sampled_from(["INT64", "UINT8", "FP16", "FP32", "FP64", "BOOL", "BYTES", "?"]),
        "data": st.lists(scalars, max_size=4) | st.lists(st.lists(scalars, max_size=2), max_size=3),
    }
)
bodies = json_values | st.fixed_dictionaries(
    {"inputs": st.lists(tensors | json_values, max_size=5)},
    optional={"id": scalars, "outputs": json_values, "parameters": json_values},
)


@pytest.mark.slow
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=bodies, path=st.sampled_from([INFER, "/v2/models/line/infer", "/v2/models/bare/infer"]))
def test_no_body_makes_the_server_fail(server, value, path):
    import json

    reply = server.ask("POST", path, content=json.dumps(value).encode())
    assert reply.status_code in (200, 400), reply.text
    assert reply.status_code == 200 or set(reply.json()) == {"error"}
