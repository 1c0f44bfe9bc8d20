"""ADWIN: a window that grows while nothing changes and shrinks when something does."""

from typing import Any, ClassVar, Literal

import numpy as np

from kedge.drift.kernels.layout import ADWIN_HEAD, ADWIN_ROWS
from kedge.drift.spec import Choice, DetectorSpec, Interval, Parameters
from kedge.drift.streaming.base import Floats
from kedge.drift.streaming.compiled import CompiledDetector


def _slots(parameters: Parameters) -> int:
    return ADWIN_HEAD + ADWIN_ROWS + 2 * ADWIN_ROWS * (int(parameters["max_buckets"]) + 1)


def _warmup(parameters: Parameters) -> int:
    clock, grace = parameters["clock"], parameters["grace_period"]
    return int((grace // clock + 1) * clock - 1)


class ADWIN(CompiledDetector):
    """Has the mean of the stream changed, and since when?

    Keeps a window of the most recent values as an exponential histogram. Whenever the means of an older and a newer part
    differ by more than chance allows, the older part is dropped and a change reported.

    The statistic is the mean of the values in the window.

    Parameters
    ----------
    delta : float in (0, 1), default 0.002
        Confidence of the bound. Larger values find changes sooner and raise more false alarms.
    clock : int >= 1, default 32
        Look for a change at every `clock`-th value. Larger values are faster and later.
    max_buckets : int >= 2, default 5
        Buckets of one size before two are merged. Larger values place the cut more finely and need more memory.
    min_window_length : int >= 1, default 5
        Shortest part that is compared. Larger values ignore short bursts.
    grace_period : int >= 1, default 10
        No alarm until the window holds more values than this.
    after_drift : "keep_recent" or "reset", default "keep_recent"
        Keep the newer part after a change, as in the paper, or start anew, as River does.
    preset : "kedge" or "river", default "kedge"
        "river" gives the changes that River 0.26.1 gives with the same numbers: it starts anew after each, whatever
        `after_drift` says.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> stream = np.concatenate([rng.normal(0, 1, 1000), rng.normal(1, 1, 1000)])
    >>> detector = ADWIN()
    >>> [int(index) for index in detector.update_many(stream).drifts][:1]
    [1055]

    References
    ----------
    Bifet and Gavaldà (2007), Learning from time-changing data with adaptive windowing, SDM, algorithm ADWIN2; the bound
    with variance is theirs in section 3.2.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="ADWIN",
        mode="streaming",
        input="real",
        direction="both",
        params={
            "delta": Interval(float, 0, 1, "neither"),
            "clock": Interval(int, 1, 2**31),
            "max_buckets": Interval(int, 2, 1000),
            "min_window_length": Interval(int, 1, 2**31),
            "grace_period": Interval(int, 1, 2**31),
            "after_drift": Choice(("keep_recent", "reset")),
            "preset": Choice(("kedge", "river")),
            "missing": Choice(("raise", "skip")),
        },
        paper="Bifet and Gavaldà 2007",
        equations="ADWIN2 with the variance bound of section 3.2",
        false_alarms="delta bounds the chance of a false cut at each comparison",
        cost="O(log n) time and memory",
        threshold="delta",
        stricter="smaller",
        libraries=("River", "Frouros", "Menelaus"),
        warmup=_warmup,
        state_bound_bytes=lambda parameters: 1024 + 9 * _slots(parameters),
        examples=(
            {},
            {"delta": 0.1, "clock": 1, "max_buckets": 3},
            {"preset": "river"},
            {"after_drift": "reset", "min_window_length": 20, "grace_period": 50},
        ),
    )
    measures: ClassVar[str] = "the mean of the values in the window"

    def __init__(
        self,
        delta: float = 0.002,
        *,
        clock: int = 32,
        max_buckets: int = 5,
        min_window_length: int = 5,
        grace_period: int = 10,
        after_drift: Literal["keep_recent", "reset"] = "keep_recent",
        preset: Literal["kedge", "river"] = "kedge",
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.delta = delta
        self.clock = clock
        self.max_buckets = max_buckets
        self.min_window_length = min_window_length
        self.grace_period = grace_period
        self.after_drift = after_drift
        self.preset = preset
        self.missing = missing
        super().__init__()

    @property
    def width(self) -> int:
        """How many values the window holds."""
        return int(self._state[1])

    def _fits(self, state: Floats) -> bool:
        if not super()._fits(state):
            return False
        # The kernel finds buckets by these counts: what is no sound histogram would lead it out of the array.
        rows, counts = state[4], state[ADWIN_HEAD : ADWIN_HEAD + ADWIN_ROWS]
        sound = rows in range(ADWIN_ROWS + 1) and all(each in range(self.max_buckets + 1) for each in counts)
        return bool(
            sound and not counts[int(rows) :].any() and state[1] == counts @ 2.0 ** np.arange(ADWIN_ROWS)
        )

    def _empty(self) -> Floats:
        return np.zeros(_slots(self.parameters()))

    def _kernel(self) -> tuple[str, str, tuple[Any, ...]]:
        keep = self.after_drift == "keep_recent" and self.preset != "river"
        sizes = self.clock, self.min_window_length, self.grace_period
        return "adwin", "adwin", (self.max_buckets + 1, float(self.delta), *sizes, keep)
