"""Dataset versions over HTTP: what is wrong is refused before anything is recorded."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.data.test_paths import ATTACKS

from kedge.api.native.messages import PREFIX


@pytest.fixture
def stored(http):
    """A file entry whose object is there."""
    reply = http.put(f"{PREFIX}/objects", content=b"content").json()
    return {**reply, "path": "data.parquet", "rows": 2}


def add(http, *files, name="flights", **fields):
    body = {"files": files, "rows": 2 * len(files), **fields}
    return http.post(f"{PREFIX}/datasets/{name}/versions", json=body)


def nothing_recorded(http):
    return http.get(f"{PREFIX}/datasets").json() == []


def test_a_version_and_every_way_to_it(http, stored):
    column = {"name": "a", "type": "int64", "bins": [0, 1], "counts": [2], "top": [["x", 1]]}
    reply = add(http, stored, tag="2013-01", message="January", columns=[column])
    made = reply.json()
    assert reply.status_code == 201
    assert (made["number"], made["tag"], made["rows"], made["size_bytes"]) == (1, "2013-01", 2, 7)
    assert made["columns"][0] | column == made["columns"][0]
    for path in (
        "datasets/flights/versions/2013-01",
        "datasets/flights/versions/1",
        "datasets/flights/versions/latest",
        f"datasets/flights/versions/{made['id']}",
        f"datasets/flights/versions/{made['content_id'][:8]}",
        f"dataset-versions/{made['id']}",
    ):
        assert http.get(f"{PREFIX}/{path}").json() == made
    assert http.get(f"{PREFIX}/datasets/flights").json() == [made]
    [summary] = http.get(f"{PREFIX}/datasets").json()
    assert (summary["name"], summary["versions"], summary["latest_tag"]) == ("flights", 1, "2013-01")
    assert add(http, stored, tag="2013-01").json() == made


def test_files_may_come_in_any_order(http, stored):
    other = {**stored, "path": "another"}
    made = add(http, stored, other).json()
    assert [file["path"] for file in made["files"]] == ["another", "data.parquet"]
    assert add(http, other, stored).json() == made


@pytest.mark.parametrize("path", [path for path in ATTACKS if path != "\udc80"])
def test_a_path_that_leads_out_is_refused(http, stored, path):
    reply = add(http, {**stored, "path": path})
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "invalid")
    assert nothing_recorded(http)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"object_id": "0" * 64}, "is not stored"),
        ({"object_id": "../" * 21 + "a"}, "is not stored"),
        ({"size_bytes": 8}, "is said to have 8 bytes, its object has 7"),
        ({"size_bytes": -1}, "is said to have -1 bytes"),
        ({"rows": 3}, "is said to have 3 rows"),
        ({"rows": -1}, "is said to have -1 rows"),
        ({"size_bytes": "7"}, "$.files[0].size_bytes"),
        ({"path": None}, "$.files[0].path"),
    ],
)
def test_a_file_that_is_not_as_claimed_is_refused(http, stored, change, says):
    reply = add(http, {**stored, **change})
    assert reply.status_code == 422
    assert says in reply.json()["error"]["message"]
    assert nothing_recorded(http)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"tag": "a b"}, "'a b' cannot be the tag"),
        ({"tag": ""}, "'' cannot be the tag"),
        ({"tag": "../x"}, "cannot be the tag"),
        ({"tag": "latest"}, "always names the newest"),
        ({"rows": -1}, "$.rows"),
        ({"rows": 2**70}, "$.rows"),
        ({"message": "x" * 10_001}, "$.message"),
        ({"files": []}, "at least one file"),
        ({"unknown": 1}, "unknown"),
        ({"columns": [{"name": "a"}]}, "$.columns[0]"),
    ],
)
def test_a_version_that_breaks_a_rule_is_refused(http, stored, fields, says):
    reply = add(http, stored, **fields)
    assert reply.status_code == 422
    assert says in reply.json()["error"]["message"]
    assert nothing_recorded(http)


def test_paths_of_a_version_must_fit_together(http, stored):
    assert "twice" in add(http, stored, stored).json()["error"]["message"]
    inner = {**stored, "path": "data.parquet/inner"}
    assert "is a file" in add(http, stored, inner).json()["error"]["message"]
    assert nothing_recorded(http)


@pytest.mark.parametrize("name", ["a%20b", "%2e%2e", "-a", "a" * 129, "%00", "ä"])
def test_a_dataset_needs_a_plain_name(http, stored, name):
    reply = add(http, stored, name=name)
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "invalid")
    assert nothing_recorded(http)


@pytest.mark.parametrize("path", ["datasets/none", "datasets/none/versions/latest", "dataset-versions/none"])
def test_what_is_not_there_is_not_found(http, path):
    reply = http.get(f"{PREFIX}/{path}")
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found")
    assert "none" in reply.json()["error"]["message"]


def test_a_use_is_of_a_version_that_is_there(web, http, stored):
    made = add(http, stored).json()
    use = {"pipeline_run_id": "run", "step": "train", "dataset_version_id": made["id"]}
    assert http.post(f"{PREFIX}/dataset-uses", json=use).status_code == 200
    assert http.post(f"{PREFIX}/dataset-uses", json=use).status_code == 200
    assert len(web.services.datasets.uses_of_run("run")) == 1
    unknown = http.post(f"{PREFIX}/dataset-uses", json={**use, "dataset_version_id": "none"})
    assert unknown.status_code == 404


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["files", "rows", "tag", "path", "object_id", "size_bytes", "checks", "gate"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON)
def test_no_body_is_a_surprise(http, body):
    for path in ("datasets/flights/versions", "dataset-uses", "reports"):
        reply = http.post(f"{PREFIX}/{path}", json=body)
        assert reply.status_code == 422
        assert reply.json()["error"].keys() == {"code", "message", "hint"}
