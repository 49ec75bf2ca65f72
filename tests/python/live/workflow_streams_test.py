"""chimera.contrib.workflow_streams: a stream that a workflow keeps, and those who publish and subscribe to it."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from unittest.mock import patch

import pytest
from live_support import until, worker

from chimera import activity, workflow
from chimera.client import Client, WorkflowFailureError
from chimera.common import RawValue
from chimera.contrib.workflow_streams import (
    WorkflowStream,
    WorkflowStreamClient,
    WorkflowStreamItem,
    WorkflowStreamState,
)
from chimera.exceptions import ApplicationError


@dataclass
class Point:
    x: int
    y: int = 0


@dataclass
class Start:
    from_activity: int = 0
    state: WorkflowStreamState | None = None


@activity.defn
async def publish_points(count: int) -> None:
    async with WorkflowStreamClient.from_within_activity(batch_interval=timedelta(milliseconds=20)) as stream:
        topic = stream.topic("points", type=Point)
        for x in range(count):
            topic.publish(Point(x), force_flush=x == 0)


@workflow.defn
class Keeper:
    """Keeps a stream until it is told to end, or to go on in another run."""

    @workflow.init
    def __init__(self, start: Start) -> None:
        self.stream = WorkflowStream(start.state)
        self._told = ""

    @workflow.run
    async def run(self, start: Start) -> int:
        if start.from_activity:
            await workflow.execute_activity(
                publish_points, start.from_activity, start_to_close_timeout=timedelta(seconds=10)
            )
            self.stream.topic("own", type=str).publish("last")
        await workflow.wait_condition(lambda: self._told != "")
        if self._told == "go on":
            await self.stream.continue_as_new(lambda state: [Start(state=state)])
        return self.stream.get_state().base_offset

    @workflow.signal
    def tell(self, what: str) -> None:
        self._told = what

    @workflow.update
    async def forget(self, up_to: int) -> None:
        await asyncio.sleep(0)  # What was published before comes first, as the stream's documentation says.
        self.stream.truncate(up_to)


async def read(stream: WorkflowStreamClient, count: int, *topics: str, **options: object) -> list[WorkflowStreamItem]:
    seen: list[WorkflowStreamItem] = []
    async for item in stream.subscribe(list(topics), poll_cooldown=timedelta(), **options):  # type: ignore
        seen.append(item)
        if len(seen) == count:
            break
    return seen


async def test_items_of_activity_and_workflow_come_in_order_with_their_types(client: Client, name: str):
    async with worker(client, name, 1000, Keeper, publish_points):
        handle = await client.start_workflow(Keeper.run, Start(from_activity=3), id=name, task_queue=name)
        stream = WorkflowStreamClient.create(client, name)

        points = await read(stream, 3, "points", result_type=Point)
        own = await read(stream, 1, "own")
        raw = await read(stream, 1, result_type=RawValue)

        assert [(item.offset, item.data) for item in points] == [(x, Point(x)) for x in range(3)]
        assert [(item.offset, item.data) for item in own] == [(3, "last")]
        assert b'"x":0' in raw[0].data.payload.data
        assert await stream.get_offset() == 4
        await handle.signal(Keeper.tell, "end")
        assert await handle.result() == 0


async def test_a_subscription_goes_on_over_the_runs_and_ends_with_the_last(client: Client, name: str):
    async with worker(client, name, 1000, Keeper):
        handle = await client.start_workflow(Keeper.run, Start(), id=name, task_queue=name)
        stream = WorkflowStreamClient.create(client, name)
        topic = stream.topic("t", type=int)
        topic.publish(1)
        await stream.flush()
        everything = asyncio.create_task(read(stream, 99, "t", result_type=int))
        await handle.signal(Keeper.tell, "go on")

        async def next_run() -> bool:
            return (await client.get_workflow_handle(name).describe()).run_id != handle.result_run_id

        await until(next_run)
        topic.publish(2)
        await stream.flush()
        await client.get_workflow_handle(name).signal(Keeper.tell, "end")

        items = await asyncio.wait_for(everything, 20)

        assert [(item.offset, item.data) for item in items] == [(0, 1), (1, 2)]


async def test_a_batch_that_is_sent_again_is_taken_once(client: Client, name: str):
    async with worker(client, name, 1000, Keeper):
        handle = await client.start_workflow(Keeper.run, Start(), id=name, task_queue=name)
        stream = WorkflowStreamClient(handle)
        send = handle.signal

        async def arrives_but_fails(*args: object) -> None:
            await send(*args)  # type: ignore
            raise RuntimeError("the answer was lost")

        stream.topic("t").publish("once")
        with patch.object(handle, "signal", side_effect=arrives_but_fails), pytest.raises(RuntimeError):
            await stream.flush()
        stream.topic("t").publish("after")
        await stream.flush()

        assert [item.data for item in await read(stream, 2)] == ["once", "after"]
        assert await stream.get_offset() == 2
        await handle.terminate()


async def test_truncated_items_are_skipped_and_offsets_stay(client: Client, name: str):
    async with worker(client, name, 1000, Keeper):
        handle = await client.start_workflow(Keeper.run, Start(), id=name, task_queue=name)
        stream = WorkflowStreamClient.create(client, name)
        for value in "abc":
            stream.topic("t").publish(value)
        await stream.flush()
        await handle.execute_update(Keeper.forget, 2)

        assert [(item.offset, item.data) for item in await read(stream, 1, from_offset=1)] == [(2, "c")]
        with pytest.raises(Exception) as caught:
            await handle.execute_update(Keeper.forget, 9)
        assert isinstance(caught.value.__cause__, ApplicationError)
        assert "offset 9: the stream holds 2 to 3" in caught.value.__cause__.message
        await handle.terminate()


@workflow.defn(failure_exception_types=[RuntimeError])
class MadeTooLate:
    @workflow.run
    async def run(self) -> None:
        WorkflowStream()


async def test_a_stream_is_made_in_init_only(client: Client, name: str):
    async with worker(client, name, 1000, MadeTooLate):
        with pytest.raises(WorkflowFailureError) as caught:
            await client.execute_workflow(MadeTooLate.run, id=name, task_queue=name)

    assert "not from 'run'" in str(caught.value.cause)


async def test_a_topic_has_one_type(client: Client, name: str):
    stream = WorkflowStreamClient.create(client, name)
    stream.topic("t", type=int)

    assert stream.topic("t", type=int).type is int
    with pytest.raises(RuntimeError, match="already bound to type <class 'int'> on this client"):
        stream.topic("t", type=str)
