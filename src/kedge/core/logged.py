"""What is logged: values of metrics, parameters and tags."""

import msgspec


class Metric(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One value of a metric; `value` may be NaN or infinite. `model_id` has it stand with a logged model as well."""

    key: str
    value: float
    timestamp: int
    step: int
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


class Pair(msgspec.Struct, frozen=True, gc=False):
    """A parameter or a tag."""

    key: str
    value: str
