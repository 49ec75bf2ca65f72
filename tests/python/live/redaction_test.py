"""RedactionCodec, over the core's."""

import json

import pytest

from chimera import converter
from chimera.contrib.encryption import RedactionCodec

KEY = b"0123456789abcdef0123456789abcdef"
VALUE = {"iban": "DE89", "items": [{"note": "n", "price": 1.5}]}


def codec(*fields: str) -> RedactionCodec:
    return RedactionCodec(fields, "k", {"k": KEY})


async def test_hides_members_and_shows_them_again():
    plain = converter.default().payload_converter.to_payloads([VALUE])
    hidden = await codec("iban", "items.*.note").encode(plain)

    seen = json.loads(hidden[0].data)
    assert seen["iban"].startswith("hidden:k:") and seen["items"][0]["note"].startswith("hidden:k:")
    assert seen["items"][0]["price"] == 1.5
    assert await codec().decode(hidden) == plain
    assert await RedactionCodec().decode(hidden) == hidden, "without a key it stays hidden"


async def test_damage_names_the_member():
    hidden = await codec("iban").encode(converter.default().payload_converter.to_payloads([VALUE]))
    hidden[0].data = hidden[0].data.replace(b"hidden:k:", b"hidden:k:AAAA")

    with pytest.raises(ValueError, match="cannot read the hidden member 'iban'"):
        await codec().decode(hidden)


async def test_what_means_nothing_is_refused():
    with pytest.raises(ValueError, match=r"'a\.\.b' has an empty part"):
        codec("a..b")
    with pytest.raises(ValueError, match="no encryption key has the id 'other'"):
        RedactionCodec(["a"], "other", {"k": KEY})
