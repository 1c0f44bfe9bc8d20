"""The labels of a request are found by key, however many labels the endpoint has."""

from kedge.core.clock import SystemClock
from kedge.core.inference import Label
from kedge.storage.database import open_database
from kedge.storage.inference import SqlInference
from kedge.storage.statements import placed, statements


def test_labels_are_searched_by_request(tmp_path):
    database = open_database(tmp_path / "kedge.db", SystemClock())
    store = SqlInference(database, tmp_path)
    store.add_labels("flights", [Label(request_id=f"r{n}", row=0, label=1.0, at_ms=n) for n in range(300)])
    with database.write() as connection:
        connection.execute("ANALYZE")
    plan = database.rows(
        "EXPLAIN QUERY PLAN " + placed(statements("inference")["labels"], 1), ("flights", "r7")
    )
    assert any("endpoint=? AND request_id=?" in row["detail"] for row in plan)
    assert [label.request_id for label in store.labels("flights", ["r7", "r9", "x"])] == ["r7", "r9"]
