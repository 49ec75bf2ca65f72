"""Values as Pydantic sees them."""

from datetime import date
from typing import Any

import pydantic
import pytest

from chimera import converter
from chimera.contrib.pydantic import (
    PydanticPayloadConverter,
    ToJsonOptions,
    pydantic_data_converter,
)


class Order(pydantic.BaseModel):
    id: str
    day: date = date(2030, 1, 2)


@pytest.mark.parametrize(
    "value, hint",
    [
        (Order(id="17"), Order),
        ([Order(id="1"), Order(id="2", day=date(2031, 1, 1))], list[Order]),
        ({"day": date(2030, 5, 6)}, dict[str, date]),
        (b"bytes", bytes),
        (None, None),
    ],
)
def test_values_come_back_as_their_hint_says(value: Any, hint: Any) -> None:
    payloads = pydantic_data_converter.payload_converter

    assert payloads.from_payload(payloads.to_payload(value), hint) == value


def test_the_encoding_is_that_of_all_json() -> None:
    payload = pydantic_data_converter.payload_converter.to_payload(Order(id="17"))

    assert payload.metadata["encoding"] == b"json/plain"
    plain = converter.PayloadConverter.default.from_payload(payload)
    assert plain == {"id": "17", "day": "2030-01-02"}


def test_options_and_what_does_not_fit() -> None:
    short = PydanticPayloadConverter(ToJsonOptions(exclude_unset=True))

    payload = short.to_payload(Order(id="17"))

    assert payload.data == b'{"id":"17"}'
    with pytest.raises(pydantic.ValidationError):
        short.from_payload(short.to_payload({"day": "no day"}), Order)
    with pytest.raises(ValueError, match="max_cached_type_adapters cannot be negative"):
        PydanticPayloadConverter(max_cached_type_adapters=-1)
