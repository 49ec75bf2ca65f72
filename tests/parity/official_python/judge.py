"""The register of scenarios, and what each of them may use: a client, a worker's task queue, fresh ids, checks."""

import asyncio
import dataclasses
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import activities
import workflows
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

SCENARIO_SECONDS = 60


class Wrong(Exception):
    """What a scenario saw was not what the protocol promises."""


def expect(what: str, saw: Any, wanted: Any) -> None:
    if saw != wanted:
        raise Wrong(f"{what}: expected {wanted!r}, saw {saw!r}")


async def eventually(what: str, read: Callable[[], Awaitable[Any]], wanted: Any, seconds: float = 20) -> None:
    """For what the server promises only after a while: visibility and the effects of a closed parent."""
    deadline = asyncio.get_running_loop().time() + seconds
    saw = await read()
    while saw != wanted and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.05)
        saw = await read()
    expect(what, saw, wanted)


async def fails(what: str, wanted: type[BaseException], call: Awaitable[Any]) -> Any:
    """Awaits a call that must raise; returns the exception."""
    try:
        result = await call
    except wanted as error:
        return error
    raise Wrong(f"{what}: expected {wanted.__name__}, saw the result {result!r}")


async def refused(what: str, code: RPCStatusCode, text: str, call: Awaitable[Any]) -> str:
    error = await fails(what, RPCError, call)
    expect(f"{what}, code", error.status.name, code.name)
    if text not in error.message:
        raise Wrong(f"{what}: expected {text!r} in the message, saw {error.message!r}")
    return error.message


@dataclasses.dataclass
class Bench:
    """One scenario's view of the server. The handles that it starts are replayed at the end."""

    client: Client
    name: str
    task_queue: str
    started: list[WorkflowHandle]

    def new_id(self) -> str:
        return f"{self.name}-{uuid.uuid4()}"

    async def start(self, run: Any, *args: Any, **options: Any) -> WorkflowHandle:
        options.setdefault("id", self.new_id())
        options.setdefault("task_queue", self.task_queue)
        handle = await self.client.start_workflow(run, args=list(args), **options)
        self.started.append(handle)
        return handle

    async def execute(self, run: Any, *args: Any, **options: Any) -> Any:
        return await (await self.start(run, *args, **options)).result()

    def worker(self, task_queue: str | None = None, **options: Any) -> Worker:
        return Worker(self.client, task_queue=task_queue or self.task_queue, workflows=workflows.ALL,
                      activities=activities.ALL, workflow_runner=UnsandboxedWorkflowRunner(), **options)


Scenario = Callable[[Bench], Awaitable[str]]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    """Registers a coroutine that raises if anything is wrong and returns what it saw."""
    SCENARIOS[function.__name__] = function
    return function


async def events(handle: WorkflowHandle) -> list[str]:
    """The event types of a run, without their common prefix."""
    return [type_name(event) async for event in handle.fetch_history_events()]


def type_name(event: Any) -> str:
    from temporalio.api.enums.v1 import EventType

    return EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")


async def run_scenario(function: Scenario, bench: Bench) -> tuple[bool, str]:
    try:
        return True, await asyncio.wait_for(function(bench), SCENARIO_SECONDS)
    except Wrong as wrong:
        return False, str(wrong)
    except asyncio.TimeoutError:
        return False, f"no end within {SCENARIO_SECONDS} s"
    except Exception as error:  # A judge reports whatever the SDK made of the server's reply.
        cause = f", caused by {error.__cause__!r}" if error.__cause__ else ""
        return False, f"{type(error).__name__}: {error}{cause}"
