"""One trace through two programs: this client and its activity, and the C++ workflow of deliveries.cc between them.

    python samples/mixed/tracing/shop.py ORDER [HOST:PORT]

With OTEL_EXPORTER_OTLP_ENDPOINT set, and opentelemetry-exporter-otlp-proto-http installed, the spans go to a collector,
as those of the C++ worker do, and its pages show the whole.
"""

import asyncio
import os
import sys

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chimera import activity
from chimera.client import Client
from chimera.contrib.opentelemetry import TracingInterceptor
from chimera.worker import Worker


@activity.defn
async def plan_route(order: str) -> str:
    return "along the river" if int(order) % 2 else "through the woods"


def traced(spans: InMemorySpanExporter) -> TracerProvider:
    """What this program prints is kept; a collector gets all."""
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(spans))
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


async def sell(order: str, address: str, routes: str = "routes", deliveries: str = "deliveries") -> None:
    spans = InMemorySpanExporter()
    provider = traced(spans)
    tracer = provider.get_tracer("shop")
    client = await Client.connect(address, interceptors=[TracingInterceptor(tracer)])
    async with Worker(client, task_queue=routes, activities=[plan_route]):
        with tracer.start_as_current_span("order"):
            result = await client.execute_workflow(
                "Delivery", order, id=f"delivery-{order}", task_queue=deliveries, result_type=str
            )
    provider.shutdown()  # What waits is sent.

    print(f"order {order}: {result}")
    finished = spans.get_finished_spans()
    print("spans of this program:", ", ".join(sorted(span.name for span in finished)))
    print("one trace:", "yes" if len({span.context.trace_id for span in finished}) == 1 else "no")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("shop.py ORDER [HOST:PORT]")
    asyncio.run(sell(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "localhost:7233"))
