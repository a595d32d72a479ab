"""Guesses at binary records: which serializer, encoding or compression made bytes that are not JSON.

A format is recognised by its magic bytes; Protobuf, which has none, by whether the whole value consists of
fields. As in ``guesses``, nothing is parsed and nothing raises.
"""

from __future__ import annotations

import re
from typing import Final

HEAD: Final = 500
"""How much of a record, or of a text, is examined."""
PLAIN: Final = "gridwatch reads plain JSON in UTF-8"
"""The remedy for a producer that sends something else."""

_UNPACKED: Final = "send plain JSON and leave compression to Kafka (compression.type of the producer)"
_SERIALIZER: Final = f"{PLAIN}, use a JSON serializer without schema registry"
_STARTS: Final = (
    (b"\xef\xbb\xbf", "starts with a UTF-8 byte order mark (EF BB BF): send UTF-8 without it"),
    (b"\xff\xfe\x00\x00", "looks like UTF-32 with a byte order mark: encode the JSON as UTF-8"),
    (b"\x00\x00\xfe\xff", "looks like UTF-32 with a byte order mark: encode the JSON as UTF-8"),
    (b"\xff\xfe", "looks like UTF-16 with a byte order mark: encode the JSON as UTF-8"),
    (b"\xfe\xff", "looks like UTF-16 with a byte order mark: encode the JSON as UTF-8"),
    (b"\x1f\x8b", f"looks like gzip: {_UNPACKED}"),
    (b"\x28\xb5\x2f\xfd", f"looks like zstd: {_UNPACKED}"),
    (b"\x04\x22\x4d\x18", f"looks like an LZ4 frame: {_UNPACKED}"),
    (b"\x82SNAPPY\x00", f"looks like Snappy: {_UNPACKED}"),
    (b"\xff\x06\x00\x00sNaPpY", f"looks like Snappy: {_UNPACKED}"),
    (b"\xfd7zXZ\x00", f"looks like xz: {_UNPACKED}"),
    (b"BZh91AY&SY", f"looks like bzip2: {_UNPACKED}"),
    (b"x\x9c", f"looks like zlib: {_UNPACKED}"),
    (b"x\xda", f"looks like zlib: {_UNPACKED}"),
    (b"PK\x03\x04", f"looks like a ZIP archive: {_UNPACKED}"),
    (b"Obj\x01", f"looks like an Avro container file: {PLAIN}, one reading or an array a record"),
    (b"\xc3\x01", f"looks like Avro (single-object encoding): {PLAIN}"),
    (b"PAR1", f"looks like a Parquet file: {PLAIN}"),
    (b"\xac\xed\x00\x05", f"looks like a serialized Java object: {PLAIN}, use a JSON serializer"),
)
_KEY: Final = re.compile(rb"[A-Za-z_][A-Za-z0-9_.@ -]*")
_UTF16: Final = re.compile(rb"[{\[]\x00[\t-~]\x00|\x00[{\[]\x00[\t-~]")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def of_bytes(value: bytes) -> str:
    """A guess at a value that is not UTF-8, or holds control characters that no JSON has."""
    for start, guess in _STARTS:
        if value.startswith(start):
            return f"; {guess}"
    if is_utf16(value):
        return "; looks like UTF-16: encode the JSON as UTF-8"
    registry = _registry(value)
    if registry:
        return f"; looks like {registry}: {_SERIALIZER}"
    if _in_braces(value) and not has_controls(value):
        return "; looks like JSON in Latin-1 or Windows-1252: encode it as UTF-8"
    kind = _binary_kind(value)
    if not kind and not has_controls(value) and value[:1].isascii():
        return f"; looks like text that is cut off, or in Latin-1 or Windows-1252: {PLAIN}"
    return f"; looks like {kind or f'binary data (first bytes {value[:8].hex()})'}: {PLAIN}"


def is_utf16(value: bytes) -> bool:
    """Whether ``value`` is JSON in UTF-16 without a byte order mark."""
    return _UTF16.match(value) is not None


def has_controls(value: bytes) -> bool:
    """Whether the start of ``value`` has a control character, so that it is not text."""
    return _CONTROL.search(value, 0, HEAD) is not None


def _registry(value: bytes) -> str:
    if len(value) > 5 and value[0] == 0 and any(value[1:5]):
        kind = "JSON Schema" if _in_braces(value[5:]) else "Avro or Protobuf"
        return f"Confluent {kind} (magic byte 0, schema id {int.from_bytes(value[1:5], 'big')})"
    if len(value) > 18 and value[0] == 3 and value[1] in (0, 5):
        return "AWS Glue Schema Registry (version 3)"
    return ""


def _in_braces(value: bytes) -> bool:
    head, tail = value[:HEAD].lstrip(), value[-HEAD:].rstrip()
    return (head[:1] == b"{" and tail[-1:] == b"}") or (head[:1] == b"[" and tail[-1:] == b"]")


def _binary_kind(value: bytes) -> str:
    first = _byte(value, 0)
    # A map in MessagePack or CBOR begins with its first key: a short text with its length in front.
    if 0x81 <= first <= 0x8F and 0xA1 <= _byte(value, 1) <= 0xBF and _is_key(value, 2, value[1] - 0xA0):
        return "a MessagePack map"
    if first == 0xDE and 0xA1 <= _byte(value, 3) <= 0xBF and _is_key(value, 4, value[3] - 0xA0):
        return "a MessagePack map"
    if (0xA1 <= first <= 0xB7 or first == 0xBF) and 0x61 <= _byte(value, 1) <= 0x77:
        return "a CBOR map" if _is_key(value, 2, value[1] - 0x60) else ""
    if len(value) >= 5 and int.from_bytes(value[:4], "little") == len(value) and value[-1] == 0:
        return "BSON"
    return "Protobuf" if _is_protobuf(value) else ""


def _byte(value: bytes, at: int) -> int:
    return value[at] if at < len(value) else 0


def _is_key(value: bytes, start: int, length: int) -> bool:
    key = value[start : start + length]
    return len(key) == length and _KEY.fullmatch(key) is not None


def _is_protobuf(value: bytes) -> bool:
    """Whether ``value`` is two fields or more of the Protobuf wire format, to its last byte."""
    at = count = 0
    while at < len(value) and count < 32:
        tag, at = _varint(value, at)
        kind = tag & 7
        if not 1 <= tag >> 3 <= 1000:
            return False
        if kind == 0:
            _, at = _varint(value, at)
        elif kind == 1:
            at += 8
        elif kind == 2:
            length, at = _varint(value, at)
            at += length
        elif kind == 5:
            at += 4
        else:
            return False
        count += 1
    return count >= 2 and (at == len(value) or (count == 32 and at < len(value)))


def _varint(value: bytes, at: int) -> tuple[int, int]:
    """The number at ``at`` and where it ends; beyond the end of ``value`` if it is none."""
    number = 0
    for place in range(10):
        byte = _byte(value, at + place)
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return number, at + place + 1
    return number, len(value) + 1
