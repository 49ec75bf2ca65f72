"""A worker that gets another client while it runs."""

import pytest
from live_support import worker

from chimera import workflow
from chimera.client import Client
from chimera.runtime import Runtime, TelemetryConfig
from chimera.testing import WorkflowEnvironment


@workflow.defn
class Hello:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"Hello, {name}"


async def test_it_serves_the_other_server_from_the_next_polls_on(client: Client, name: str):
    async with await WorkflowEnvironment.start_local() as other:
        async with worker(client, name, 0, Hello, max_concurrent_workflow_task_polls=1) as serving:
            assert await client.execute_workflow(Hello.run, "Ann", id=name, task_queue=name) == "Hello, Ann"

            serving.client = other.client
            # The poll under way ends at the first server; it is the last one there.
            last = await client.start_workflow(Hello.run, "Bob", id=f"{name}-2", task_queue=name)
            answer = await other.client.execute_workflow(Hello.run, "Cid", id=name, task_queue=name)

        await last.terminate()
        assert answer == "Hello, Cid"


async def test_a_client_of_another_runtime_is_refused(env: WorkflowEnvironment, client: Client, name: str):
    other = await env.connect_client(runtime=Runtime(telemetry=TelemetryConfig()))

    async with worker(client, name, 0, Hello) as serving:
        with pytest.raises(ValueError, match="not on the same runtime"):
            serving.client = other
