"""The commonest bodies, decoded straight into what they mean: a run that logs sends thousands of them.

Only what is unmistakable is taken (every name known once, every type exact); for all else the long way round decides, and
a test holds that both agree.
"""

from typing import Annotated

import msgspec

from kedge.core.logged import Metric, Pair
from kedge.tracking.plans import Fresh, Plan
from kedge.tracking.run_operations import create_run, log_batch, log_metric

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Long = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _Metric(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    key: _Text
    value: float
    timestamp: _Long
    step: _Long = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""
    run_id: str = ""

    def meant(self) -> Metric:
        return Metric(
            self.key,
            self.value,
            self.timestamp,
            self.step,
            self.model_id or None,
            self.dataset_name or None,
            self.dataset_digest or None,
        )


class _LogMetric(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    run_id: _Text
    key: _Text
    value: float
    timestamp: _Long
    step: _Long = 0
    run_uuid: str = ""
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class _Pair(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    key: _Text
    value: str = ""


class _LogBatch(msgspec.Struct, forbid_unknown_fields=True):
    run_id: _Text
    metrics: list[_Metric] = []
    params: list[_Pair] = []
    tags: list[_Pair] = []


class _CreateRun(msgspec.Struct, forbid_unknown_fields=True):
    experiment_id: _Text
    user_id: str = ""
    run_name: str = ""
    start_time: _Long = 0
    tags: list[_Pair] = []


_create_run = msgspec.json.Decoder(_CreateRun)
_log_metric = msgspec.json.Decoder(_LogMetric)
_log_batch = msgspec.json.Decoder(_LogBatch)


def of_create_run(content: bytes, fresh: Fresh) -> Plan | None:
    """The plan of a plain runs/create, else None."""
    try:
        body = _create_run.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    tags = [Pair(each.key, each.value) for each in body.tags]
    return create_run(fresh, body.experiment_id, body.user_id, body.run_name, body.start_time, tags)


def of_log_metric(content: bytes, _: Fresh) -> Plan | None:
    """The plan of a plain runs/log-metric, else None."""
    try:
        body = _log_metric.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    metric = Metric(
        body.key,
        body.value,
        body.timestamp,
        body.step,
        body.model_id or None,
        body.dataset_name or None,
        body.dataset_digest or None,
    )
    return log_metric(body.run_id, metric)


def of_log_batch(content: bytes, _: Fresh) -> Plan | None:
    """The plan of a plain runs/log-batch, else None."""
    try:
        body = _log_batch.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return log_batch(
        body.run_id,
        [metric.meant() for metric in body.metrics],
        [Pair(each.key, each.value) for each in body.params],
        [Pair(each.key, each.value) for each in body.tags],
    )
