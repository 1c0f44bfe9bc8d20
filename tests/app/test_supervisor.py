"""What the supervisor hands to its children."""

from kedge.app.config import read_config
from kedge.app.supervisor import variables_of

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT")


def test_only_serving_computes_with_bounded_threads() -> None:
    one, four = read_config({}, None, {}), read_config({}, None, {"KEDGE_SERVING_THREADS": "4"})
    assert variables_of("serving", one, {"A": "b"}) == {"A": "b", **dict.fromkeys(THREADS, "1")}
    assert variables_of("serving", four, {}) == dict.fromkeys(THREADS, "4")
    assert variables_of("worker", one, {"A": "b"}) == {"A": "b"}


def test_what_the_operator_set_stays() -> None:
    config = read_config({}, None, {})
    assert variables_of("serving", config, {"OMP_NUM_THREADS": "3"})["OMP_NUM_THREADS"] == "3"
