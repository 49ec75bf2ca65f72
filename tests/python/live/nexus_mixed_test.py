"""One worker of both languages: C++ workflows call Python handlers, Python workflows C++ ones."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import nexusrpc
import pytest
from live_support import BUILD, EXECUTOR, events
from nexusrpc.handler import StartOperationContext, service_handler, sync_operation

from chimera import nexus, workflow
from chimera.client import Client
from chimera.exceptions import ApplicationError, CancelledError, NexusOperationError
from chimera.testing import WorkflowEnvironment
from chimera.worker import UnsandboxedWorkflowRunner, Worker

LIBRARY = str(BUILD / "tests/libmixed_nexus.so")
SOON = timedelta(seconds=30)


@dataclass
class Parcel:
    item: str
    count: int


@nexusrpc.service
class NativeDepot:
    pack: nexusrpc.Operation[Parcel, str]
    send: nexusrpc.Operation[str, str]


@nexusrpc.service
class PythonDepot:
    pack: nexusrpc.Operation[Parcel, str]
    send: nexusrpc.Operation[str, str]


@workflow.defn
class PythonDelivery:
    @workflow.run
    async def run(self, where: str) -> str:
        if where == "nowhere":
            raise ApplicationError("no such place", type="Address", non_retryable=True)
        if where == "far":
            await workflow.sleep(86400)
        return f"Python arrived at {where}"


@service_handler(service=PythonDepot)
class PythonHandler:
    @sync_operation
    def pack(self, ctx: StartOperationContext, parcel: Parcel) -> str:
        if parcel.count < 0:
            raise nexusrpc.HandlerError("less than nothing", type=nexusrpc.HandlerErrorType.BAD_REQUEST)
        if parcel.count == 0:
            raise nexusrpc.OperationError("empty", state=nexusrpc.OperationErrorState.FAILED)
        return f"Python packed {parcel.count} {parcel.item}"

    @nexus.workflow_run_operation
    async def send(self, ctx: nexus.WorkflowRunOperationContext, where: str) -> nexus.WorkflowHandle[str]:
        return await ctx.start_workflow(PythonDelivery.run, where, id=f"python-{ctx.request_id}")


def told(error: NexusOperationError) -> str:
    """What the error says, and its causes."""
    if isinstance(error.cause, nexusrpc.HandlerError):
        return f"refused: {error.cause.message}"
    if isinstance(error.cause, ApplicationError):
        return f"{error.cause.type}: {error.cause.message}"
    return "cancelled" if isinstance(error.cause, CancelledError) else str(error)


@workflow.defn
class PythonCaller:
    @workflow.run
    async def run(self, endpoint: str) -> str:
        depot = workflow.create_nexus_client(service=NativeDepot, endpoint=endpoint)
        seen = [
            await depot.execute_operation(
                NativeDepot.pack, Parcel("tea", 2), schedule_to_close_timeout=SOON
            )
        ]
        sending = await depot.start_operation(NativeDepot.send, "home", schedule_to_close_timeout=SOON)
        seen.append(await sending if sending.operation_token else "no token")
        for operation, input in (
            (NativeDepot.pack, Parcel("tea", 0)),
            (NativeDepot.pack, Parcel("tea", -1)),
            (NativeDepot.send, "nowhere"),
        ):
            try:
                await depot.execute_operation(operation, input, schedule_to_close_timeout=SOON)
            except NexusOperationError as err:
                seen.append(told(err))
        far = await depot.start_operation(NativeDepot.send, "far", schedule_to_close_timeout=SOON)
        far.cancel()
        try:
            await far
        except NexusOperationError as err:
            seen.append(told(err))
        return "; ".join(seen)


@pytest.fixture
async def endpoint(env: WorkflowEnvironment, name: str) -> AsyncIterator[str]:
    made = await env.create_nexus_endpoint(name, name)
    yield name
    await env.delete_nexus_endpoint(made)


@pytest.mark.parametrize(("caller", "other"), [("NativeCaller", "Python"), ("PythonCaller", "C++")])
async def test_each_language_calls_the_others_service(
    client: Client, name: str, endpoint: str, cache: int, caller: str, other: str
) -> None:
    both = Worker(
        client,
        task_queue=name,
        workflows=[PythonDelivery, PythonCaller],
        native=[LIBRARY],
        nexus_service_handlers=[PythonHandler()],
        nexus_task_executor=EXECUTOR,
        max_cached_workflows=cache,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with both:
        handle = await client.start_workflow(caller, endpoint, id=name, task_queue=name, result_type=str)
        seen = (await handle.result()).split("; ")

    assert seen[:2] == [f"{other} packed 2 tea", f"{other} arrived at home"]
    assert seen[2].endswith("empty") and seen[3].startswith("refused: ") and "less than nothing" in seen[3]
    assert seen[4:] == ["Address: no such place", "cancelled"]
    started = await events(handle, "nexus_operation_started")
    assert len(started) == 3 and all(each.operation_token for each in started)
    assert len(await events(handle, "nexus_operation_canceled")) == 1
