"""Nexus: a shop and a bank, each in a namespace of its own.

The bank lets others call two operations. The shop's workflow calls them; it knows the contract and nothing else.

samples/cpp/nexus is the same in C++: each side can be in either language.

    python samples/python/nexus/nexus.py                                # a demonstration, on a server in this process
    python samples/python/nexus/nexus.py setup localhost:7233           # an operator's part: a namespace, an endpoint
    python samples/python/nexus/nexus.py bank localhost:7233            # the bank's side
    python samples/python/nexus/nexus.py shop localhost:7233            # the shop's side
    python samples/python/nexus/nexus.py 7 ann 300 localhost:7233       # an order: its number, who pays, how many cents
"""

import asyncio
import sys
from dataclasses import dataclass
from datetime import timedelta

import nexusrpc
from nexusrpc.handler import StartOperationContext, service_handler, sync_operation

from chimera import nexus, workflow
from chimera.api.nexus.v1 import EndpointSpec
from chimera.api.operatorservice.v1 import CreateNexusEndpointRequest
from chimera.api.workflowservice.v1 import ListOpenWorkflowExecutionsRequest, RegisterNamespaceRequest
from chimera.client import Client
from chimera.exceptions import ApplicationError, NexusOperationError
from chimera.service import RPCError, RPCStatusCode
from chimera.testing import WorkflowEnvironment
from chimera.worker import Worker

# --- What both know


@dataclass
class Charge:
    order: str
    customer: str
    cents: int


@nexusrpc.service
class Payments:
    check: nexusrpc.Operation[Charge, str]
    """Answered at once: "good", or "too much"."""
    settle: nexusrpc.Operation[Charge, str]
    """A workflow of the bank's: gives a receipt."""


ENDPOINT = "payments"

# --- The bank

BANK, BANK_QUEUE = "bank", "bank"


@workflow.defn
class Settlement:
    @workflow.run
    async def run(self, charge: Charge) -> str:
        if charge.customer == "nobody":
            raise ApplicationError("no account of nobody", type="NoSuchAccount", non_retryable=True)
        await workflow.sleep(1)  # The other bank answers.
        return f"receipt {charge.order}"


@service_handler(service=Payments)
class PaymentsHandler:
    @sync_operation
    async def check(self, ctx: StartOperationContext, charge: Charge) -> str:
        return "too much" if charge.cents > 1000_00 else "good"

    @nexus.workflow_run_operation
    async def settle(self, ctx: nexus.WorkflowRunOperationContext, charge: Charge) -> nexus.WorkflowHandle[str]:
        # A request that comes a second time finds the workflow of the first.
        return await ctx.start_workflow(Settlement.run, charge, id=f"settle-{charge.order}")


def bank(client: Client) -> Worker:
    return Worker(
        client, task_queue=BANK_QUEUE, workflows=[Settlement], nexus_service_handlers=[PaymentsHandler()]
    )


# --- The shop

SHOP_QUEUE = "purchases"
SOON = timedelta(minutes=1)


@workflow.defn
class Purchase:
    @workflow.run
    async def run(self, charge: Charge) -> str:
        payments = workflow.create_nexus_client(service=Payments, endpoint=ENDPOINT)
        answer = await payments.execute_operation(Payments.check, charge, schedule_to_close_timeout=SOON)
        if answer != "good":
            return f"refused: {answer}"
        try:
            return "paid: " + await payments.execute_operation(
                Payments.settle, charge, schedule_to_close_timeout=SOON
            )
        except NexusOperationError as err:
            why = err.cause
            if not isinstance(why, ApplicationError) or why.type != "NoSuchAccount":
                raise
            return f"not paid: {why.message}"


def shop(client: Client) -> Worker:
    return Worker(client, task_queue=SHOP_QUEUE, workflows=[Purchase])


async def order(client: Client, charge: Charge) -> str:
    return await client.execute_workflow(Purchase.run, charge, id=f"purchase-{charge.order}", task_queue=SHOP_QUEUE)


# --- The operator


async def set_up(client: Client) -> None:
    """A namespace is known to all parts of a server only after some seconds."""
    new = RegisterNamespaceRequest(namespace=BANK)
    new.workflow_execution_retention_period.FromTimedelta(timedelta(days=1))
    await client.workflow_service.register_namespace(new)
    spec = EndpointSpec(name=ENDPOINT)
    spec.target.worker.namespace, spec.target.worker.task_queue = BANK, BANK_QUEUE
    for _ in range(100):
        try:
            await client.workflow_service.list_open_workflow_executions(
                ListOpenWorkflowExecutionsRequest(namespace=BANK)
            )
            await client.operator_service.create_nexus_endpoint(CreateNexusEndpointRequest(spec=spec))
            return
        except RPCError as err:
            if err.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION):
                raise
        await asyncio.sleep(0.2)
    raise TimeoutError(f"the namespace {BANK} is not known after 20 seconds")


async def demonstrate() -> None:
    async with await WorkflowEnvironment.start_local() as env:
        await set_up(env.client)
        other = Client(env.client.service_client, namespace=BANK)
        async with bank(other), shop(env.client):
            for number, (who, cents) in enumerate([("ann", 300), ("nobody", 300), ("ann", 5000_00)]):
                print(await order(env.client, Charge(str(number), who, cents)))


async def main(words: list[str]) -> None:
    if not words:
        await demonstrate()
    elif words[0] == "setup":
        await set_up(await Client.connect(words[-1]))
        print(f"namespace {BANK}, endpoint {ENDPOINT}")
    elif words[0] == "bank":
        await bank(await Client.connect(words[-1], namespace=BANK)).run()
    elif words[0] == "shop":
        await shop(await Client.connect(words[-1])).run()
    else:
        print(await order(await Client.connect(words[-1]), Charge(words[0], words[1], int(words[2]))))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
