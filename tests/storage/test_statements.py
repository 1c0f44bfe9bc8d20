"""Statements of many rows."""

import sqlite3

import pytest

from kedge.storage.statements import insert_many, repeated


@pytest.mark.parametrize("count", [0, 1, 2, 3, 255, 256, 257, 1000])
def test_many_rows_in_few_statements(count) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (a, b)")
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    rows = [(n, f"v{n}") for n in range(count)]
    insert_many(connection, "INSERT INTO t (a, b) VALUES (?, ?) ON CONFLICT DO NOTHING", rows)
    connection.set_trace_callback(None)
    assert connection.execute("SELECT a, b FROM t ORDER BY a").fetchall() == rows
    assert len([each for each in asked if each.startswith("INSERT")]) <= 8 + count // 256
    connection.close()


def test_the_row_is_repeated_and_nothing_else() -> None:
    query = "INSERT INTO t (a) VALUES (?)\nON CONFLICT (a) DO UPDATE SET a = excluded.a WHERE (1, 2) > (0, 1)"
    assert repeated(query, 2) == query.replace("VALUES (?)", "VALUES (?), (?)")
