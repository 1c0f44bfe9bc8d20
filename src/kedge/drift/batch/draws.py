"""Seeds of draws that the samples tell too."""

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt


def seed_of(seed: int, *samples: npt.NDArray[Any]) -> int:
    """A number in [0, 2**63) that is the same for the same seed and samples, and another for others.

    Splits are drawn of values in order, or of counts. The seed alone would draw the same ones for every window, and by
    their accident all windows of a monitor would alarm too often, or too rarely: energy distance of level 0.05 with 99
    splits of 30 and 30 values alarmed in 2 to 12 % of steady windows, according to the seed.
    """
    digest = hashlib.blake2b(int(seed).to_bytes(8, "little"), digest_size=8)
    for sample in samples:
        digest.update(sample.size.to_bytes(8, "little"))
        digest.update(np.ascontiguousarray(sample).tobytes())
    return int.from_bytes(digest.digest(), "little") >> 1
