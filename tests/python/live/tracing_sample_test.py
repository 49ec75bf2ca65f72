"""samples/mixed/tracing: the Python half, with a stand-in for the C++ worker that docs/samples.md runs."""

from datetime import timedelta

import pytest
from live_support import sample
from opentelemetry.sdk.trace import TracerProvider

from chimera import workflow
from chimera.client import Client
from chimera.contrib.opentelemetry import TracingInterceptor
from chimera.worker import Worker

shop = sample("mixed/tracing/shop.py")


@workflow.defn(name="Delivery")
class StandIn:
    @workflow.run
    async def run(self, order: str) -> str:
        route: str = await workflow.execute_activity(
            "plan_route",
            order,
            task_queue=f"{workflow.info().task_queue}-routes",
            result_type=str,
            start_to_close_timeout=timedelta(seconds=10),
        )
        return f"truck 7, {route}"


@pytest.mark.parametrize("tracing", [True, False])
async def test_the_trace_goes_through_the_workflow(
    client: Client, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tracing: bool
):
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    order = str(int(name.removeprefix("live-"), 16) | 1)
    interceptors = [TracingInterceptor(TracerProvider().get_tracer("stand-in"))] if tracing else []
    async with Worker(client, task_queue=name, workflows=[StandIn], interceptors=interceptors):
        await shop.sell(order, client.service_client.config.target_host, f"{name}-routes", name)

    assert capsys.readouterr().out.splitlines() == [
        f"order {order}: truck 7, along the river",
        "spans of this program: RunActivity:plan_route, StartWorkflow:Delivery, order",
        f"one trace: {'yes' if tracing else 'no'}",
    ]


async def test_routes():
    assert [await shop.plan_route(order) for order in ("1", "2")] == ["along the river", "through the woods"]
