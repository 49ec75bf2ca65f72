"""How values travel: payload converters, codecs, failure converters, search attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import chimera.exceptions
from chimera._lazy import late_names
from chimera.converter._codec import PayloadCodec
from chimera.converter._contexts import (
    ActivitySerializationContext,
    NexusSerializationContext,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from chimera.converter._data_converter import DataConverter, default
from chimera.converter._failure import (
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    FailureConverter,
)
from chimera.converter._payload import (
    AdvancedJSONEncoder,
    BinaryNullPayloadConverter,
    BinaryPlainPayloadConverter,
    BinaryProtoPayloadConverter,
    CompositePayloadConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
    JSONProtoPayloadConverter,
    PayloadConverter,
    TransferTypeConverter,
    transfer_type_convertible,
)
from chimera.converter._search_attributes import (
    decode_search_attributes,
    decode_typed_search_attributes,
    encode_search_attribute_values,
    encode_search_attributes,
    encode_typed_search_attribute_value,
)
from chimera.converter._typed import JSONTypeConverter, JSONTypeConverterUnhandled, value_to_type

if TYPE_CHECKING:
    from chimera.converter._storage import (
        ExternalStorage,
        StorageDriver,
        StorageDriverActivityInfo,
        StorageDriverClaim,
        StorageDriverRetrieveContext,
        StorageDriverSelectContext,
        StorageDriverStoreContext,
        StorageDriverWorkflowInfo,
        StorageWarning,
    )
else:
    # Most programs keep no payloads elsewhere.
    __getattr__, __dir__ = late_names(globals(), ["chimera.converter._storage"])


def create_payload_validation_error(details: Any) -> chimera.exceptions.ApplicationError:
    """The error of a converter that finds a payload to be invalid: not retried."""
    return chimera.exceptions.ApplicationError(
        "Payload validation failed",
        *(() if details is None else (details,)),
        type="PayloadValidationError",
        non_retryable=True,
    )


DataConverter.default = DataConverter()
PayloadConverter.default = DataConverter.default.payload_converter
FailureConverter.default = DataConverter.default.failure_converter

__all__ = [
    "ActivitySerializationContext",
    "AdvancedJSONEncoder",
    "BinaryNullPayloadConverter",
    "BinaryPlainPayloadConverter",
    "BinaryProtoPayloadConverter",
    "CompositePayloadConverter",
    "DataConverter",
    "DefaultFailureConverter",
    "DefaultFailureConverterWithEncodedAttributes",
    "DefaultPayloadConverter",
    "EncodingPayloadConverter",
    "ExternalStorage",
    "FailureConverter",
    "JSONPlainPayloadConverter",
    "JSONProtoPayloadConverter",
    "JSONTypeConverter",
    "JSONTypeConverterUnhandled",
    "NexusSerializationContext",
    "PayloadCodec",
    "PayloadConverter",
    "SerializationContext",
    "StorageDriver",
    "StorageDriverActivityInfo",
    "StorageDriverClaim",
    "StorageDriverRetrieveContext",
    "StorageDriverSelectContext",
    "StorageDriverStoreContext",
    "StorageDriverWorkflowInfo",
    "StorageWarning",
    "TransferTypeConverter",
    "WithSerializationContext",
    "WorkflowSerializationContext",
    "create_payload_validation_error",
    "decode_search_attributes",
    "decode_typed_search_attributes",
    "default",
    "encode_search_attribute_values",
    "encode_search_attributes",
    "encode_typed_search_attribute_value",
    "transfer_type_convertible",
    "value_to_type",
]
