"""The table of detectors says of each what its class does."""

import dataclasses
import inspect

import pytest

from kedge.drift import ALL, DetectorRecord, table


def test_every_detector_has_its_record() -> None:
    records = {record.name: record for record in table()}
    assert set(records) == {cls.__name__ for cls in ALL}
    for cls in ALL:
        record = records[cls.__name__]
        assert record.question.endswith(("?", ".")), record.question
        arguments = inspect.signature(cls).parameters
        assert {each.name: each.default for each in record.parameters} == {
            name: argument.default for name, argument in arguments.items()
        }
        assert not record.threshold or record.threshold in arguments
        assert (record.threshold, record.stricter) == (cls.spec.threshold, cls.spec.stricter)
        assert bool(record.threshold) == bool(record.stricter)
        assert all((record.paper, record.equations, record.false_alarms, record.cost))


def test_records_are_sorted_and_cannot_be_changed() -> None:
    records = table()
    assert [r.name for r in records if r.mode == "batch"] == sorted(
        r.name for r in records if r.mode == "batch"
    )
    assert records[0].mode == "streaming"
    with pytest.raises(dataclasses.FrozenInstanceError):
        records[0].name = "other"
    assert isinstance(records[0], DetectorRecord)
