"""The official Python SDK, client and handler, on Nexus operations without a workflow: prints ok, or raises.

    nexus_operations.py PROGRAM
"""

import asyncio
import os
import sys
from datetime import timedelta

import nexusrpc
import nexusrpc.handler
from temporalio import nexus, workflow
from temporalio.api.nexus.v1 import EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import CreateNexusEndpointRequest
from temporalio.client import Client, NexusOperationFailureError
from temporalio.common import NexusOperationIDReusePolicy
from temporalio.exceptions import ApplicationError, CancelledError, NexusOperationAlreadyStartedError, TerminatedError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

PATIENCE = timedelta(seconds=30)


@nexusrpc.service
class Orders:
    greet: nexusrpc.Operation[str, str]
    pack: nexusrpc.Operation[str, str]
    decline: nexusrpc.Operation[str, str]


@workflow.defn
class Pack:
    @workflow.run
    async def run(self, what: str) -> str:
        if what == "slowly":
            await workflow.sleep(3600)
        return f"packed {what}"


@nexusrpc.handler.service_handler(service=Orders)
class Handler:
    @nexusrpc.handler.sync_operation
    async def greet(self, _: nexusrpc.handler.StartOperationContext, name: str) -> str:
        return f"hello {name}"

    @nexus.workflow_run_operation
    async def pack(self, context: nexus.WorkflowRunOperationContext, what: str) -> nexus.WorkflowHandle[str]:
        return await context.start_workflow(Pack.run, what, id=f"pack-{context.request_id}")

    @nexusrpc.handler.sync_operation
    async def decline(self, _: nexusrpc.handler.StartOperationContext, why: str) -> str:
        raise nexusrpc.OperationError(why, state=nexusrpc.OperationErrorState.FAILED)


async def fails(call: object, cause: type[BaseException]) -> None:
    try:
        await call
    except NexusOperationFailureError as err:
        assert isinstance(err.__cause__, cause), err.__cause__
    else:
        raise AssertionError("it did not fail")


async def check(client: Client) -> None:
    orders = client.create_nexus_client(Orders, endpoint="orders")
    limit = {"schedule_to_close_timeout": PATIENCE}
    assert await orders.execute_operation(Orders.greet, "you", id="greet", **limit) == "hello you"
    await fails(orders.execute_operation(Orders.decline, "no", id="decline", **limit), ApplicationError)

    handle = await orders.start_operation(Orders.pack, "it", id="pack", **limit)
    assert await handle.result() == "packed it"
    assert (await handle.describe()).operation_token
    try:
        never = NexusOperationIDReusePolicy.REJECT_DUPLICATE
        await orders.start_operation(Orders.pack, "it", id="pack", id_reuse_policy=never, **limit)
        raise AssertionError("an id counts once")
    except NexusOperationAlreadyStartedError:
        pass

    canceled = await orders.start_operation(Orders.pack, "slowly", id="cancel", **limit)
    await canceled.cancel()
    await fails(canceled.result(), CancelledError)
    ended = await orders.start_operation(Orders.pack, "slowly", id="terminate", **limit)
    await ended.terminate(reason="enough")
    await fails(ended.result(), TerminatedError)

    listed = {each.operation_id: each.status.name async for each in client.list_nexus_operations("Endpoint = 'orders'")}
    assert listed == {"greet": "COMPLETED", "decline": "FAILED", "pack": "COMPLETED", "cancel": "CANCELED",
                      "terminate": "TERMINATED"}, listed
    assert (await client.count_nexus_operations("ExecutionStatus = 'Completed'")).count == 2


async def main(program: str) -> None:
    env = await WorkflowEnvironment.start_local(
        dev_server_existing_path=program,
        dev_server_extra_args=["--dynamic-config-value", "nexusoperation.enableStandalone=true"],
    )
    async with env:
        worker = EndpointTarget.Worker(namespace="default", task_queue="q")
        spec = EndpointSpec(name="orders", target=EndpointTarget(worker=worker))
        await env.client.operator_service.create_nexus_endpoint(CreateNexusEndpointRequest(spec=spec))
        runner = UnsandboxedWorkflowRunner()
        async with Worker(env.client, task_queue="q", workflows=[Pack], nexus_service_handlers=[Handler()],
                          workflow_runner=runner):
            await check(env.client)
    print("ok", flush=True)
    os._exit(0)  # Threads of the official package may crash an interpreter that ends.


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
