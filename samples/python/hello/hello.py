"""A first workflow: it greets a name by an activity.

    python samples/python/hello/hello.py                    # on an embedded server, in this process
    python samples/python/hello/hello.py localhost:7233     # on a server that runs already
"""

import asyncio
import sys
from datetime import timedelta

from chimera import activity, workflow
from chimera.client import Client
from chimera.testing import WorkflowEnvironment
from chimera.worker import UnsandboxedWorkflowRunner, Worker

TASK_QUEUE = "hello"


@activity.defn
async def compose_greeting(name: str) -> str:
    return f"Hello, {name}!"


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(
            compose_greeting, name, start_to_close_timeout=timedelta(seconds=10)
        )


async def greet(client: Client, name: str) -> str:
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[Greeting],
        activities=[compose_greeting],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        return await client.execute_workflow(Greeting.run, name, id=f"hello-{name}", task_queue=TASK_QUEUE)


async def main() -> None:
    if len(sys.argv) > 1:
        print(await greet(await Client.connect(sys.argv[1]), "World"))
        return
    async with await WorkflowEnvironment.start_local() as environment:
        print(await greet(environment.client, "World"))


if __name__ == "__main__":
    asyncio.run(main())
