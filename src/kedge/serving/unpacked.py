"""How much a zip file holds, told before the reader of models unpacks it whole into memory."""

import zipfile
from pathlib import Path

from kedge.core.errors import Invalid

MOST_TIMES = 20
"""Forests and boosted trees, saved with compression, unpack to 3 to 8 times their size; a bomb to 1,000 times."""
ALWAYS_TAKEN_BYTES = 16 * 1024 * 1024
_PIECE_BYTES = 64 * 1024


def check_unpacked_size(file: Path) -> None:
    """Raise Invalid when a zip file unpacks to much more than its own size.

    First by its directory, unread. A directory can lie, and `zipfile` unpacks a whole entry before it cuts it to the size
    that was told; so what is compressed is then unpacked in pieces, and counted. Deflate alone can be unpacked in pieces.
    """
    size_bytes = file.stat().st_size
    most_bytes = max(ALWAYS_TAKEN_BYTES, MOST_TIMES * size_bytes)
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        told_bytes = sum(entry.file_size for entry in entries)
        if told_bytes > most_bytes:
            raise _too_much(file, size_bytes, f"{told_bytes:,}", most_bytes)
        left_bytes = most_bytes
        for entry in entries:
            if entry.compress_type == zipfile.ZIP_STORED:
                left_bytes -= entry.file_size
                continue
            if entry.compress_type != zipfile.ZIP_DEFLATED:
                raise Invalid(f"{file.name} is compressed otherwise than by deflate, which alone is taken")
            entry.file_size = most_bytes + 2 * _PIECE_BYTES  # not what was told, and never reached
            with archive.open(entry) as unpacked:
                while piece := unpacked.read(_PIECE_BYTES):
                    left_bytes -= len(piece)
                    if left_bytes < 0:
                        raise _too_much(file, size_bytes, "more than its directory tells", most_bytes)


def _too_much(file: Path, size_bytes: int, unpacked: str, most_bytes: int) -> Invalid:
    return Invalid(
        f"{file.name} holds {size_bytes:,} bytes and unpacks to {unpacked}: at most {most_bytes:,} are taken",
        hint="save the model without compression, as MLflow and skops do unless told otherwise",
    )
