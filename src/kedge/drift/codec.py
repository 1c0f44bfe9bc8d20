"""Detector states as bytes: versioned, checked, and read without running anything (so not pickle).

Layout, little-endian: magic, length of the header, header (JSON: kind, version, parameters, and for each value its name,
type and length in bytes), the values one after the other, CRC-32 of all before. A float array is stored as the bitmap of
its non-zero words and those words: a detector's array is mostly slots not in use.
"""

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from kedge.drift.errors import StateError

Value = npt.NDArray[np.float64] | npt.NDArray[np.int64] | tuple[str, ...]

_MAGIC = b"KDRIFT2\n"
_LENGTH = struct.Struct("<I")


def encode(kind: str, version: int, parameters: Mapping[str, Any], values: Mapping[str, Value]) -> bytes:
    """The bytes of a state of `kind` in its format `version`."""
    packed = [(name, *_pack(value)) for name, value in values.items()]
    header = {
        "kind": kind,
        "version": version,
        "parameters": dict(parameters),
        "values": [[name, form, len(data)] for name, form, data in packed],
    }
    head = json.dumps(header, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    body = _MAGIC + _LENGTH.pack(len(head)) + head + b"".join(data for _, _, data in packed)
    return body + _LENGTH.pack(zlib.crc32(body))


def decode(
    kind: str, version: int, state: bytes, older: tuple[int, ...] = ()
) -> tuple[dict[str, Any], dict[str, Value]]:
    """Parameters and values of a state of that format version, or of an older one that can be read too.

    Raises
    ------
    StateError
        The bytes are cut, changed, or a state of another kind or version.
    """
    body = bytes(state[: -_LENGTH.size])
    if not body.startswith(_MAGIC) or _LENGTH.pack(zlib.crc32(body)) != bytes(state[-_LENGTH.size :]):
        raise StateError(f"{kind}: these {len(state)} bytes are no detector's state, or were cut or changed")
    begin = len(_MAGIC) + _LENGTH.size
    try:
        end = begin + _LENGTH.unpack_from(body, len(_MAGIC))[0]
        header = json.loads(body[begin:end])
        found = header["kind"], header["version"]
        readable = found[0] == kind and found[1] in (version, *older)
        values: dict[str, Value] = {}
        for name, form, length in header["values"] if readable else ():
            values[name] = _unpack(form, body[end : end + length])
            end += length
        parameters = dict(header["parameters"])
    except (KeyError, TypeError, ValueError, struct.error) as error:
        raise StateError(f"{kind}: the state cannot be read: {error!r}") from error
    if not readable:
        raise StateError(f"{kind}: a state of {found[0]} version {found[1]}, not of {kind} version {version}")
    return parameters, values


def _pack(value: Value) -> tuple[str, bytes]:
    if isinstance(value, tuple):
        return "text", json.dumps(value).encode()
    if value.dtype.kind == "i":
        return "int64", value.astype("<i8").tobytes()
    words = np.ascontiguousarray(value, "<f8").view(
        "<u8"
    )  # bits, so that -0.0 and NaN come back as they were
    used = words != 0
    return "float64", struct.pack("<Q", words.size) + np.packbits(used).tobytes() + words[used].tobytes()


def _unpack(form: str, data: bytes) -> Value:
    if form == "text":
        return tuple(json.loads(data))
    if form == "int64":
        return np.frombuffer(data, "<i8").astype(np.int64)
    (size,) = struct.unpack_from("<Q", data)
    words = 8 + (size + 7) // 8
    if size > 8 * len(data):  # else a forged length would ask for any amount of memory
        raise ValueError(f"{size} words in {len(data)} bytes")
    used = np.unpackbits(np.frombuffer(data[8:words], np.uint8), count=size).astype(bool)
    values = np.zeros(size, "<u8")
    values[used] = np.frombuffer(data[words:], "<u8")
    return values.view("<f8").astype(np.float64)
