"""What detectors of concept drift share: values are errors, 1 for an error and 0 for none."""

import math
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from kedge.drift.errors import DataError
from kedge.drift.streaming.base import Floats, State
from kedge.drift.streaming.compiled import CompiledDetector


class ErrorDetector(CompiledDetector):
    """Takes errors in order: 1 for an error and 0 for none, in every detector, whatever the paper or a library counts."""

    graded: ClassVar[bool] = False
    """Whether values between 0 and 1, such as a loss that is bounded so, are taken too."""

    def _unusual(self, value: float) -> State:
        if math.isfinite(value) and not (self.graded and 0 <= value <= 1):
            raise DataError(f"{self.spec.name}.update({value!r}): {self._rule()}")
        return super()._unusual(value)

    def checked(self, xs: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.int64] | None]:
        """As for all detectors, and values that are not those of an error are refused."""
        values, kept = super().checked(xs)
        taken = values if kept is None else values[kept]
        wrong = (taken < 0) | (taken > 1) if self.graded else (taken != 0) & (taken != 1)
        if wrong.any():
            raise DataError(f"{self.spec.name}: {self._rule()}, got {taken[wrong][0]:g}")
        return values, kept

    def _rule(self) -> str:
        return (
            "values lie between 0 and 1 (1 for an error)" if self.graded else "values are 1 (an error) or 0"
        )
