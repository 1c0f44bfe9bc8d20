"""MLflow's scoring protocol."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PATH = "/endpoints/flights/invocations"
JSON = {"content-type": "application/json"}


def test_all_four_shapes_and_csv_answer_alike(server, models, make_frame):
    rows = make_frame(6, seed=9)
    direct = models.flights_estimator.predict_proba(rows)
    columns = {name: rows[name].tolist() for name in rows}
    records = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    split = {
        "columns": list(columns),
        "data": [list(record.values()) for record in records],
        "index": [9] * 6,
    }
    for fields in (
        {"dataframe_split": split},
        {"dataframe_records": records},
        {"instances": records},
        {"inputs": columns},
        {"inputs": records, "params": {}},
    ):
        reply = server.ask("POST", PATH, json=fields)
        assert reply.status_code == 200, reply.text
        assert np.array_equal(np.array(reply.json()["predictions"]), direct)
        assert reply.headers["x-request-id"]
    text = rows.to_csv(index=False)
    for kind in ("text/csv", "text/csv; charset=utf-8"):
        reply = server.ask("POST", PATH, content=text, headers={"content-type": kind})
        assert np.array_equal(np.array(reply.json()["predictions"]), direct)
    for shape in ("instances", "inputs"):
        reply = server.ask("POST", "/endpoints/line/invocations", json={shape: [[1, 2, 3.5], [0, 0, 0]]})
        assert reply.json()["predictions"] == pytest.approx([6.5, 0], abs=1e-9)


def test_missing_values(server, models, make_frame):
    rows = make_frame(2)
    record = {"hour": 1, "distance": None, "carrier": "AA", "late": True}
    answer = server.ask("POST", PATH, json={"dataframe_records": [record]}).json()["predictions"]
    rows["distance"], rows["hour"], rows["carrier"], rows["late"] = np.nan, 1, "AA", True
    assert answer == [models.flights_estimator.predict_proba(rows)[0].tolist()]


def test_bare_routes_answer_when_one_endpoint_is_live(server):
    reply = server.ask("POST", "/invocations", json={"instances": [[1, 2, 3]]})
    assert reply.status_code == 400
    assert "3 endpoints answer here" in reply.json()["message"]
    for name in ("bare", "flights"):
        server.table._live.pop(name)
    assert server.ask("POST", "/invocations", json={"instances": [[1, 2, 3]]}).status_code == 200
    assert server.ask("GET", "/ping").text == "\n"
    assert server.ask("GET", "/version").text == "3.17.2"
    assert server.ask("GET", "/health").json()["endpoints"] == ["line"]
    server.table._live.clear()
    assert server.ask("GET", "/ping").status_code == 404


@pytest.mark.parametrize(
    ("status", "content", "kind", "message"),
    [
        (400, b"{", "application/json", "the body is not JSON"),
        (400, b"[]", "application/json", "an object with one of"),
        (400, b"{}", "application/json", "has none of dataframe_split"),
        (400, b'{"inputs": [], "instances": []}', "application/json", "has instances and inputs of"),
        (400, b'{"inputs": []}', "application/json", "has no rows"),
        (400, b'{"instances": {}}', "application/json", "instances is an object"),
        (
            400,
            b'{"dataframe_split": {"columns": ["hour"]}}',
            "application/json",
            "missing required field `data`",
        ),
        (
            400,
            b'{"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}',
            "application/json",
            "row 0 has 2 values",
        ),
        (400, b'{"dataframe_records": [1]}', "application/json", "not a list of objects"),
        (400, b'{"inputs": {"hour": 3}}', "application/json", "under 'hour'"),
        (400, b'{"inputs": {"hour": [[1, 2]]}}', "application/json", "column 'hour' mixes list"),
        (400, b'{"inputs": [[1, "a", 2, 3]]}', "application/json", "mixes text and numbers"),
        (400, b'{"inputs": [[1], [1, 2]]}', "application/json", "not one array"),
        (
            400,
            b"hour,distance,carrier,late\nx,1,AA,true\n",
            "text/csv",
            "column 'hour' has the value 'x' in row 0",
        ),
        (
            400,
            b"hour,distance,carrier,late\n1,2,AA,true\n1," + b"9" * 5000 + b",AA,true\n",
            "text/csv",
            f"column 'distance' has the value '{'9' * 40}... (5000 characters)' in row 1: a number must be finite",
        ),
        (400, b"distance\n-1e999\n", "text/csv", "value '-1e999' in row 0: a number must be finite"),
        (400, b"hour\n" + b"9" * 5000, "text/csv", "(5000 characters)' in row 0: the model takes long"),
        (400, b"hour\n" + b"9" * 30, "text/csv", "column 'hour' has a number that does not fit int64"),
        (400, b"hour\n1,2\n", "text/csv", "row 0 has 2 values"),
        (400, b"", "text/csv", "the body is empty"),
        (400, b"\xff", "text/csv", "not CSV in UTF-8"),
        (415, b"<x/>", "application/xml", "content type 'application/xml' is not taken"),
        (415, b"{}", "application/json; charset=latin-1", "is not taken"),
        (415, b"{}", "application/json; format=pandas-split", "is not taken"),
        (415, b"{}", "", "content type '' is not taken"),
        (413, b" " * (16 * 1024 * 1024 + 1), "application/json", "16777216 bytes"),
    ],
)
def test_refusals_have_mlflows_shape(server, status, content, kind, message):
    reply = server.ask("POST", PATH, content=content, headers={"content-type": kind})
    assert reply.status_code == status, reply.text
    assert set(reply.json()) == {"error_code", "message"}
    assert message in reply.json()["message"]


def test_csv_of_undeclared_columns_holds_no_infinity_either(server):
    path, kind = "/endpoints/line/invocations", {"content-type": "text/csv"}
    assert server.ask("POST", path, content=b"a,b,c\n1,2,3\n", headers=kind).status_code == 200
    reply = server.ask("POST", path, content=b"a,b,c\n1,2,3\n1,1e400,3\n", headers=kind)
    assert reply.status_code == 400
    assert "column 'b' has the value '1e400' in row 1: a number must be finite" in reply.json()["message"]


def test_unknown_paths_and_methods(server):
    assert server.ask("GET", PATH).status_code == 405
    assert server.ask("GET", "/nothing").json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert server.ask("POST", "/endpoints/nothing/invocations", json={}).status_code == 404


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["hour", "late", "columns", "data", "x"]), inner, max_size=4)
    ),
)
shapes = st.sampled_from(["dataframe_split", "dataframe_records", "instances", "inputs"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=st.dictionaries(shapes, values, max_size=2) | values,
    name=st.sampled_from(["flights", "line", "bare"]),
)
def test_no_json_makes_the_server_fail(server, value, name):
    content = json.dumps(value).encode()
    reply = server.ask("POST", f"/endpoints/{name}/invocations", content=content, headers=JSON)
    assert reply.status_code in (200, 400), reply.text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.text(alphabet='hour,late\n\r"0123x.', max_size=40) | st.binary(max_size=30))
def test_no_csv_makes_the_server_fail(server, content):
    for name in ("flights", "line", "bare"):
        path = f"/endpoints/{name}/invocations"
        reply = server.ask("POST", path, content=content, headers={"content-type": "text/csv"})
        assert reply.status_code in (200, 400), reply.text
