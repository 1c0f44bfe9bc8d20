"""Parts of a file, as HTTP asks for them (RFC 9110, section 14)."""

import re

from kedge.core.errors import Invalid, KedgeError

MOST_RANGES = 100
_ONE = re.compile(r"([0-9]*)-([0-9]*)")
Ranges = list[tuple[int, int]]


class OutsideFile(KedgeError):
    """No part that was asked for lies within the file."""

    code = "range"
    status = 416

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"no such range in {size_bytes} bytes")
        self.size_bytes = size_bytes


def ranges_of(header: str, size_bytes: int) -> Ranges | None:
    """The parts as (start, stop), in order and without overlaps; None where the whole file is to be sent.

    Raises
    ------
    Invalid
        What is asked for is no range.
    OutsideFile
        None of the ranges has a byte in the file.

    Examples
    --------
    >>> ranges_of("bytes=0-4, 2-9, -1", 100)
    [(0, 10), (99, 100)]
    >>> ranges_of("lines=1-2", 100) is None
    True
    """
    unit, _, asked = header.partition("=")
    if unit.strip().lower() != "bytes" or asked.count(",") >= MOST_RANGES:
        return None
    found: Ranges = []
    for text in asked.split(","):
        part = _ONE.fullmatch(text.strip())
        if part is None or part[0] == "-" or (part[1] and part[2] and int(part[2]) < int(part[1])):
            raise Invalid(f"Range: {header[:100]} is no range of bytes")
        start = int(part[1]) if part[1] else max(0, size_bytes - int(part[2]))
        stop = min(int(part[2]) + 1, size_bytes) if part[1] and part[2] else size_bytes
        if start < stop:
            found.append((start, stop))
    if not found:
        raise OutsideFile(size_bytes)
    return _merged(found)


def _merged(ranges: Ranges) -> Ranges:
    first, *rest = sorted(ranges)
    merged = [first]
    for start, stop in rest:
        last_start, last_stop = merged[-1]
        if start <= last_stop:
            merged[-1] = (last_start, max(stop, last_stop))
        else:
            merged.append((start, stop))
    return merged
