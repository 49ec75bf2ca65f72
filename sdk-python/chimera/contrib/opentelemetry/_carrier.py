"""What a span's context travels in: a carrier, which a text map propagator fills, as the payload of a header."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, TypeAlias

from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import CarrierValT, TextMapPropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chimera.converter import PayloadConverter

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from chimera.api.common.v1 import Payload

logger = logging.getLogger("temporalio.contrib.opentelemetry")

default_text_map_propagator = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])
"""W3C Trace Context and Baggage."""

Carrier: TypeAlias = dict[str, CarrierValT]


class HasHeaders(Protocol):
    """The input of a call."""

    headers: Mapping[str, Payload]


class Propagation:
    """How contexts go into headers and come out of them."""

    header_key: str = "_tracer-data"
    """Of the official SDKs; a subclass may have another."""

    text_map_propagator: TextMapPropagator = default_text_map_propagator
    """What is told of a context; a subclass may have another."""

    payload_converter: PayloadConverter = PayloadConverter.default
    """Makes the header's payload; a subclass may have another."""

    def _carrier(self, context: Context | None = None) -> Carrier:
        """Of a context, or of the current one."""
        carrier: Carrier = {}
        self.text_map_propagator.inject(carrier, context)
        return carrier

    def _with_carrier(self, headers: Mapping[str, Payload], carrier: Carrier | None) -> Mapping[str, Payload]:
        if not carrier:
            return headers
        return {**headers, self.header_key: self.payload_converter.to_payloads([carrier])[0]}

    def _with_context(self, headers: Mapping[str, Payload]) -> Mapping[str, Payload]:
        """With the current one."""
        return self._with_carrier(headers, self._carrier())

    def _carrier_of(self, headers: Mapping[str, Payload]) -> Carrier | None:
        """None where there is no such header, or one of somebody else's: tracing fails no call."""
        payload = headers.get(self.header_key)
        if payload is None:
            return None
        try:
            carrier = self.payload_converter.from_payloads([payload])[0]
        except Exception as error:
            carrier = error
        if not isinstance(carrier, dict):
            logger.warning("The header %s is no carrier of a trace, and is passed over: %r", self.header_key, carrier)
            return None
        return carrier or None

    def _context_of(self, headers: Mapping[str, Payload]) -> Context | None:
        carrier = self._carrier_of(headers)
        return None if carrier is None else self.text_map_propagator.extract(carrier)


def with_text(headers: Mapping[str, str] | None, carrier: Carrier | None) -> Mapping[str, str]:
    """Headers of Nexus, which are text, with what the carrier holds."""
    texts = {key: value if isinstance(value, str) else ",".join(value) for key, value in (carrier or {}).items()}
    return {**(headers or {}), **texts}
