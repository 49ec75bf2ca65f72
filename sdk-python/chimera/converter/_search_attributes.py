"""Search attributes to payloads and back. Neither codec nor the user's converter touches them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import chimera.common as common
from chimera.converter._data_converter import default
from chimera.converter._typed import parse_datetime

if TYPE_CHECKING:
    import chimera.api.common.v1
    from chimera.api.common.v1 import Payload


def encode_search_attributes(
    attributes: common.SearchAttributes | common.TypedSearchAttributes,
    api: chimera.api.common.v1.SearchAttributes,
) -> None:
    """Write attributes, typed or not, to a protocol message."""
    if isinstance(attributes, common.TypedSearchAttributes):
        for key, value in attributes:
            payload = encode_typed_search_attribute_value(key, value)
            api.indexed_fields[key.name].CopyFrom(payload)
    else:
        for name, values in (attributes or {}).items():
            api.indexed_fields[name].CopyFrom(encode_search_attribute_values(values))


def encode_typed_search_attribute_value(
    key: common.SearchAttributeKey[common.SearchAttributeValueType],
    value: common.SearchAttributeValue | None,
) -> Payload:
    """The payload of one typed value; None removes the attribute."""
    convert = default().payload_converter.to_payload
    if value is None:
        return convert(None)
    if not isinstance(value, key.origin_value_type):
        raise TypeError(
            f"Value of type {value} not suitable for indexed value type {key.indexed_value_type}"
        )
    if isinstance(value, datetime):
        value = _iso(value)
    elif isinstance(value, Sequence) and not all(isinstance(item, str) for item in value):
        raise TypeError("All values of a keyword list must be strings")
    payload = convert(value)
    payload.metadata["type"] = key._metadata_type.encode()
    return payload


def _iso(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("Timezone must be present on all search attribute dates")
    return value.isoformat()


def encode_search_attribute_values(vals: common.SearchAttributeValues) -> Payload:
    """The payload of a list of untyped values."""
    if not isinstance(vals, list):
        raise TypeError("Search attribute values must be lists")
    first: type | None = None
    safe: list[Any] = []
    for value in vals:
        if isinstance(value, datetime):
            safe.append(_iso(value))
            continue
        if not isinstance(value, (str, int, float, bool)):
            raise TypeError(
                f"Search attribute value of type {type(value).__name__} not one of str, int, "
                "float, bool, or datetime"
            )
        first = first or type(value)
        if type(value) is not first:
            raise TypeError("Search attribute values must have the same type for the same key")
        safe.append(value)
    return default().payload_converter.to_payload(safe)


def encode_either(
    untyped: common.SearchAttributes | None,
    typed: common.TypedSearchAttributes | None,
    api: chimera.api.common.v1.SearchAttributes,
) -> None:
    """Write whichever is given; giving both is an error."""
    if untyped and typed:
        raise ValueError(
            "Cannot provide both deprecated search attributes and typed search attributes"
        )
    encode_search_attributes(untyped or typed or {}, api)


def decode_search_attributes(
    api: chimera.api.common.v1.SearchAttributes,
) -> common.SearchAttributes:
    """The attributes as lists of values, without types."""
    result: dict[str, Any] = {}
    for name, payload in api.indexed_fields.items():
        value = default().payload_converter.from_payload(payload)
        values = value if isinstance(value, list) else [value]
        if payload.metadata.get("type") == b"Datetime":
            values = [parse_datetime(text) for text in values]
        result[name] = values
    return result


def decode_typed_search_attributes(
    api: chimera.api.common.v1.SearchAttributes,
) -> common.TypedSearchAttributes:
    """The attributes whose payloads say their type, and whose values are of it."""
    pairs: list[common.SearchAttributePair[Any]] = []
    for name, payload in api.indexed_fields.items():
        kind = payload.metadata.get("type", b"").decode()
        key = common.SearchAttributeKey._from_metadata_type(name, kind)
        if key is None:
            continue
        value = _typed(key, default().payload_converter.from_payload(payload))
        if isinstance(value, key.origin_value_type):
            pairs.append(common.SearchAttributePair(key, value))
    return common.TypedSearchAttributes(pairs)


def _typed(key: common.SearchAttributeKey[Any], value: Any) -> Any:
    kinds = common.SearchAttributeIndexedValueType
    if key.indexed_value_type != kinds.KEYWORD_LIST and isinstance(value, list):
        if len(value) != 1:
            return None
        value = value[0]
    if key.indexed_value_type == kinds.DATETIME:
        return parse_datetime(value)
    if key.indexed_value_type == kinds.DOUBLE and type(value) is int:
        return float(value)
    return value


def _decode_search_attribute_value(payload: Payload) -> common.SearchAttributeValue:
    value = default().payload_converter.from_payload(payload)
    if isinstance(value, str) and payload.metadata.get("type") == b"Datetime":
        return parse_datetime(value)
    return value
