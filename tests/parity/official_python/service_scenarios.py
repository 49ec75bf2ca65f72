"""What the service tells of its runs: describe, lists, memo, history in long polls."""

import asyncio

import workflows
from judge import Bench, Wrong, eventually, expect, refused, scenario, type_name
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import WorkflowHistoryEventFilterType
from temporalio.service import RPCError, RPCStatusCode
from workflows import Messages


async def add_colour(bench: Bench) -> None:
    """Registers the custom attribute, and waits until the server knows it."""
    operator = bench.client.operator_service
    try:
        await operator.add_search_attributes(AddSearchAttributesRequest(
            namespace=bench.client.namespace,
            search_attributes={workflows.COLOUR.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD}))
    except RPCError as error:
        if error.status != RPCStatusCode.ALREADY_EXISTS:
            raise

    async def known() -> bool:
        reply = await operator.list_search_attributes(ListSearchAttributesRequest(namespace=bench.client.namespace))
        return workflows.COLOUR.name in reply.custom_attributes

    await eventually("custom attribute", known, True)


@scenario
async def search_attributes_and_memo(bench: Bench) -> str:
    await add_colour(bench)
    colour = bench.new_id()
    handle = await bench.start(workflows.Tagged.run, colour, memo={"kept": 1, "dropped": 2})
    expect("memo seen by the workflow", await handle.result(), "painted")
    description = await handle.describe()
    expect("memo", await description.memo(), {"kept": 1, "step": "painted"})
    expect("attribute", description.typed_search_attributes.get(workflows.COLOUR), colour)
    query = f"{workflows.COLOUR.name} = '{colour}' AND WorkflowType = 'Tagged' AND ExecutionStatus = 'Completed'"

    async def found() -> list[str]:
        return [run.id async for run in bench.client.list_workflows(query)]

    await eventually("list", found, [handle.id])
    expect("count", (await bench.client.count_workflows(query)).count, 1)
    return "listed by its attribute, counted, memo merged"


@scenario
async def list_workflows(bench: Bench) -> str:
    ids = sorted([bench.new_id() for _ in range(3)])
    for workflow_id in ids:
        await bench.execute(workflows.Echo.run, "x", id=workflow_id)
    query = f"WorkflowId STARTS_WITH '{bench.name}' AND TaskQueue = '{bench.task_queue}'"

    async def found() -> list[str]:  # In pages of one.
        return sorted([run.id async for run in bench.client.list_workflows(query, page_size=1)])

    await eventually("list", found, ids)
    await refused("unknown attribute", RPCStatusCode.INVALID_ARGUMENT, "invalid query",
                  bench.client.count_workflows("NoSuchAttribute = 1"))
    return "three, in pages of one"


@scenario
async def describe(bench: Bench) -> str:
    handle = await bench.start(workflows.AnsweredLater.run, static_summary="waits for an answer")

    async def pending() -> list[str]:
        raw = (await handle.describe()).raw_description
        return [a.activity_type.name for a in raw.pending_activities]

    await eventually("pending activity", pending, ["answer_later"])
    running = await handle.describe()
    expect("running", (running.status.name, running.workflow_type, running.task_queue, running.run_id),
           ("RUNNING", "AnsweredLater", bench.task_queue, handle.first_execution_run_id))
    expect("summary", await running.static_summary(), "waits for an answer")
    await bench.client.get_async_activity_handle(
        workflow_id=handle.id, run_id=None, activity_id="later").complete("now")
    await handle.result()
    closed = await handle.describe()
    expect("closed", (closed.status.name, len(closed.raw_description.pending_activities)), ("COMPLETED", 0))
    events = [event async for event in handle.fetch_history_events()]
    expect("history length", closed.history_length, len(events))
    if closed.close_time is None or not closed.start_time <= closed.close_time:
        raise Wrong(f"started {closed.start_time}, closed {closed.close_time}")
    return f"running with a pending activity, then closed after {closed.history_length} events"


@scenario
async def history_long_poll(bench: Bench) -> str:
    """A reader that waits for new events sees each of them once, and the last one ends it."""
    handle = await bench.start(Messages.run)
    seen: list[str] = []
    begun = asyncio.Event()

    async def follow() -> None:
        async for event in handle.fetch_history_events(wait_new_event=True, page_size=2):
            seen.append(type_name(event))
            if seen[-1] == "WORKFLOW_TASK_COMPLETED":
                begun.set()

    reader = asyncio.create_task(follow())
    closing = asyncio.create_task(_closing_event(handle))
    await begun.wait()
    await handle.signal(Messages.add, "x")
    await handle.signal(Messages.end)
    await asyncio.wait_for(reader, 20)
    whole = [type_name(event) async for event in handle.fetch_history_events()]
    expect("events", seen, whole)
    expect("closing event", await asyncio.wait_for(closing, 20), ["WORKFLOW_EXECUTION_COMPLETED"])
    return f"{len(seen)} events as they came, and the closing one alone"


async def _closing_event(handle) -> list[str]:
    return [type_name(event) async for event in handle.fetch_history_events(
        wait_new_event=True, event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT)]
