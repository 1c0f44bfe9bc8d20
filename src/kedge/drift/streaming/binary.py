"""What detectors of concept drift share: values are errors, 1 for an error and 0 for none."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from kedge.drift.errors import DataError
from kedge.drift.streaming.base import Floats, State, StreamingDetector


class ErrorDetector(StreamingDetector):
    """Takes errors in order: 1 for an error and 0 for none, in every detector, whatever the paper or a library counts."""

    graded: ClassVar[bool] = False
    """Whether values between 0 and 1, such as a loss that is bounded so, are taken too."""

    def update(self, x: float) -> State:
        """Take one value and say what it brought: "normal", "warning" or "drift".

        Raises
        ------
        DataError
            `x` is not an error's value, or NaN or infinite and `missing` is "raise"; the state stays as it was.
        """
        value = float(x)
        if np.isfinite(value) and not self._admits(value):
            raise DataError(f"{self.spec.name}.update({x!r}): {self._rule()}")
        return super().update(value)

    def checked(self, xs: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.int64] | None]:
        """As for all detectors, and values that are not those of an error are refused."""
        values, kept = super().checked(xs)
        taken = values if kept is None else values[kept]
        wrong = (taken < 0) | (taken > 1) if self.graded else (taken != 0) & (taken != 1)
        if wrong.any():
            raise DataError(f"{self.spec.name}: {self._rule()}, got {taken[wrong][0]:g}")
        return values, kept

    def _admits(self, value: float) -> bool:
        return 0 <= value <= 1 if self.graded else value in (0, 1)

    def _rule(self) -> str:
        return (
            "values lie between 0 and 1 (1 for an error)" if self.graded else "values are 1 (an error) or 0"
        )
