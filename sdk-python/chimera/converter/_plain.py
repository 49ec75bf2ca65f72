"""Simple values straight to and from serialized payloads.

Most values are a str, an int, bytes or None, and a protobuf object in Python takes longer than all else about them.
What is here does as the default converter does, or answers that it does not know: then that one is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from json.decoder import scanstring  # type: ignore[attr-defined]
from json.encoder import encode_basestring_ascii
from typing import Any

UNKNOWN: Any = object()
"""What `decode` answers where it does not know."""


def _metadata(encoding: bytes) -> bytes:
    """A serialized Payload of this encoding, up to its data (temporal/api/common/v1/message.proto)."""
    entry = b"\n\x08encoding\x12" + bytes([len(encoding)]) + encoding
    return b"\n" + bytes([len(entry)]) + entry


_NULL = _metadata(b"binary/null")
_PLAIN = _metadata(b"binary/plain")
_JSON = _metadata(b"json/plain")
_NONE = type(None)
_LENGTHS = [b"\x12" + bytes([length]) for length in range(128)]


def _payload(metadata: bytes, data: bytes) -> bytes:
    length = len(data)
    if length < 128:
        return metadata + _LENGTHS[length] + data if length else metadata
    varint = bytearray(b"\x12")
    while length > 127:
        varint.append(length & 127 | 128)
        length >>= 7
    varint.append(length)
    return b"".join((metadata, varint, data))


def encode(value: Any) -> bytes | None:
    """The serialized payload of a value; None: it is not simple."""
    kind = type(value)
    if kind is str:
        return _payload(_JSON, encode_basestring_ascii(value).encode())
    if value is None:
        return _NULL
    if kind is int:
        return _payload(_JSON, int.__repr__(value).encode())
    if kind is bytes:
        return _payload(_PLAIN, value)
    if kind is bool:
        return _payload(_JSON, b"true" if value else b"false")
    return None


def encode_all(values: Sequence[Any]) -> list[bytes] | None:
    """One payload for each value; None: not all of them are simple."""
    result = []
    for value in values:
        payload = encode(value)
        if payload is None:
            return None
        result.append(payload)
    return result


def _data(payload: bytes, start: int) -> bytes | None:
    """What is behind the metadata, if that is the data and nothing else."""
    if len(payload) == start:
        return b""
    if payload[start] != 0x12:
        return None
    at, length, shift = start + 1, 0, 0
    try:
        while (byte := payload[at]) > 127:
            length |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
    except IndexError:
        return None
    length |= byte << shift
    at += 1
    return payload[at:] if len(payload) - at == length else None


def decode(payload: bytes, hint: Any) -> Any:
    """The value of a serialized payload, or UNKNOWN."""
    if hint is _NONE:
        return None if payload == _NULL else UNKNOWN
    if hint is not str and hint is not None and hint is not int and hint is not bytes:
        return UNKNOWN  # It may be a type with rules of its own.
    if payload.startswith(_JSON):
        data = _data(payload, len(_JSON))
        if not data:
            return UNKNOWN
        if data[0] == 0x22:  # A quotation mark.
            return _text(data) if hint is str or hint is None else UNKNOWN
        digits = hint is int and data.isdigit() and len(data) < 19
        return int(data) if digits and (data[0] != 0x30 or len(data) == 1) else UNKNOWN
    if payload == _NULL:
        return None
    if payload.startswith(_PLAIN):
        data = _data(payload, len(_PLAIN))
        return UNKNOWN if data is None else data
    return UNKNOWN


def _text(data: bytes) -> Any:
    try:
        text = data.decode()
        value, end = scanstring(text, 1)
    except ValueError:  # The converter says what is wrong, or knows the encoding.
        return UNKNOWN
    return value if end == len(text) else UNKNOWN


def decode_all(payloads: Sequence[bytes], hints: Sequence[Any] | None) -> list[Any] | None:
    """One value for each payload; None: not all of them are simple."""
    result = []
    for index, payload in enumerate(payloads):
        value = decode(payload, hints[index] if hints else None)
        if value is UNKNOWN:
            return None
        result.append(value)
    return result
