"""SimplePlugin on client, worker and replayer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from live_support import EXECUTOR

from chimera import activity, workflow
from chimera.client import Client, Interceptor, OutboundInterceptor
from chimera.plugin import SimplePlugin
from chimera.testing import WorkflowEnvironment
from chimera.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor as WorkerInterceptor,
    Replayer,
    Worker,
)


@activity.defn
async def greet() -> str:
    return "hello"


@workflow.defn
class Greets:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(greet, start_to_close_timeout=timedelta(seconds=10))


class Both(Interceptor, WorkerInterceptor):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        self.seen.append("client")
        return next

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        both = self

        class Inbound(ActivityInboundInterceptor):
            async def execute_activity(self, input: ExecuteActivityInput) -> Any:
                both.seen.append("activity")
                return await super().execute_activity(input)

        return Inbound(next)


async def test_one_plugin_changes_client_worker_and_replayer(env: WorkflowEnvironment, name: str):
    steps: list[str] = []

    @asynccontextmanager
    async def around() -> AsyncIterator[None]:
        steps.append("in")
        yield
        steps.append("out")

    both = Both()
    plugin = SimplePlugin(
        "greetings",
        interceptors=[both],
        activities=[greet],
        workflows=lambda there: [*(there or []), Greets],
        run_context=around,
    )
    client: Client = await env.connect_client(plugins=[plugin])

    async with Worker(client, task_queue=name, activity_executor=EXECUTOR):
        handle = await client.start_workflow(Greets.run, id=name, task_queue=name)
        assert await handle.result() == "hello"
    await Replayer(workflows=[], plugins=[plugin]).replay_workflow(await handle.fetch_history())

    assert plugin.name() == "greetings"
    assert both.seen == ["client", "activity"], "one object, once on each side"
    assert steps == ["in", "out"] * 2
