"""Simple values go straight to serialized payloads and back as the default converter would take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from fake_core import PAYLOADS, encode

from chimera import common, converter
from chimera.api.common.v1 import Payload
from chimera.converter import _plain
from chimera.converter._payload import is_default

SIMPLE: list[Any] = [
    "", "a", 'quotes " and \\ and \n', "Zürich \U0001f600", "\udc80", "x" * 120, "x" * 125, "x" * 126, "x" * 20_000,
    0, 7, -7, 10**17, 10**30, True, False, None, b"", b"\x00\xff", b"y" * 127, b"y" * 128, b"y" * 300_000,
]  # fmt: skip


@pytest.mark.parametrize("value", SIMPLE, ids=lambda value: repr(value)[:20])
def test_simple_values_become_what_the_default_converter_makes(value: Any) -> None:
    payload = _plain.encode(value)

    assert payload == encode(value)
    for hint in (None, type(value), str, int, bytes, Any, common.RawValue, str | None):
        found = _plain.decode(payload, hint)
        if found is not _plain.UNKNOWN:
            hints = [hint] if hint else None
            assert found == PAYLOADS.from_payloads([Payload.FromString(payload)], hints)[0]
            assert type(found) is type(value)


def test_most_of_them_are_known() -> None:
    unknown = [value for value in SIMPLE if _plain.decode(encode(value), type(value)) is _plain.UNKNOWN]

    assert unknown == [-7, 10**30, True, False]


class Word(str): ...


class Number(int): ...


@pytest.mark.parametrize("value", [1.5, [], {}, object(), Word("w"), Number(1), common.RawValue(Payload())])
def test_other_values_are_for_the_converter(value: Any) -> None:
    assert _plain.encode(value) is None
    assert _plain.encode_all(["a", value]) is None


def payload(encoding: bytes, data: bytes, **more: bytes) -> bytes:
    return Payload(metadata={"encoding": encoding, **more}, data=data).SerializeToString()


@pytest.mark.parametrize(
    "serialized, hint",
    [
        (payload(b"json/plain", b'"a"', more=b"x"), str),
        (payload(b"json/plain", b'"a" '), str),
        (payload(b"json/plain", b' "a"'), str),
        (payload(b"json/plain", b'"a'), str),
        (payload(b"json/plain", b'"\xff"'), str),
        (payload(b"json/plain", '"ä"'.encode("utf-16-le")), str),
        (payload(b"json/plain", b'"\x01"'), str),
        (payload(b"json/plain", b""), str),
        (payload(b"json/plain", b"007"), int),
        (payload(b"json/plain", b"7"), str),
        (payload(b"json/plain", b'"a"'), int),
        (payload(b"json/plain", b'"a"'), bytes),
        (payload(b"json/plainer", b'"a"'), str),
        (payload(b"binary/null", b"x"), None),
        (payload(b"binary/encrypted", b"x"), None),
        (payload(b"json/plain", b'"a"') + b"\x1a\x00", str),
        (payload(b"json/plain", b'"' + b"a" * 200 + b'"')[:-1], str),
        (payload(b"json/plain", b"")[:-1] + b"n\x12", str),
        (b"", None),
        (encode("a"), common.RawValue),
        (encode("a"), str | None),
        (encode("a"), Word),
    ],
)
def test_what_is_not_as_usual_is_for_the_converter(serialized: bytes, hint: Any) -> None:
    assert _plain.decode(serialized, hint) is _plain.UNKNOWN
    assert _plain.decode_all([encode("a"), serialized], [str, hint]) is None


class Shouting(converter.JSONPlainPayloadConverter):
    def to_payload(self, value: Any) -> Any:
        return super().to_payload(str(value).upper())


class Mine(converter.CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(Shouting())


class Same(converter.DefaultPayloadConverter): ...


def test_only_the_default_converter_may_be_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(kind: type[converter.PayloadConverter]) -> converter.PayloadConverter:
        return converter.DataConverter(payload_converter_class=kind).payload_converter

    assert is_default(converter.default().payload_converter)
    assert not is_default(made(Mine)) and not is_default(made(Same))
    assert not is_default(converter.DefaultPayloadConverter())

    monkeypatch.setattr(converter.DefaultPayloadConverter, "default_encoding_payload_converters", (Shouting(),))
    assert not is_default(made(converter.DefaultPayloadConverter))


class Codec(converter.PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)


class Derived(converter.DataConverter): ...


def test_nor_may_a_codec_or_a_data_converter_of_ones_own() -> None:
    assert converter.default()._is_plain
    assert not converter.DataConverter(payload_codec=Codec())._is_plain
    assert not Derived()._is_plain


class InContext(Codec, converter.WithSerializationContext):
    def with_context(self, context: converter.SerializationContext) -> InContext:
        return self


class Composite(converter.DefaultPayloadConverter):
    def with_context(self, context: Any) -> Any:
        return self


class Asking(converter.DataConverter):
    def with_context(self, context: Any) -> Any:
        return self


def test_who_takes_a_context_is_asked() -> None:
    assert not converter.default()._takes_context
    assert not converter.DataConverter(payload_codec=Codec(), payload_converter_class=Same)._takes_context
    assert converter.DataConverter(payload_codec=InContext())._takes_context
    assert converter.DataConverter(payload_converter_class=Composite)._takes_context
    assert Asking()._takes_context
