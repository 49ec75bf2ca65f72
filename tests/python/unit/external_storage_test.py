"""External storage: what drivers are told, and references that a codec has encoded."""

from __future__ import annotations

import asyncio
import dataclasses
import types
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from fake_core import FakeCore, activity_done, activity_task

from chimera import activity, common, converter, workflow
from chimera.api.common.v1 import Payload
from chimera.client import AsyncActivityIDReference, ScheduleActionStartWorkflow, _requests, _schedule_wire as schedules
from chimera.client._impl_activities import ActivityCalls
from chimera.worker._activity_worker import ActivityWorker, Running
from chimera.worker._codec_pass import CodecPass
from chimera.workflow import ParentInfo

Workflow, Activity = converter.StorageDriverWorkflowInfo, converter.StorageDriverActivityInfo


class Noting(converter.StorageDriver):
    """Keeps all, and notes for whom."""

    def __init__(self) -> None:
        self.kept: list[Payload] = []
        self.targets: list[Any] = []

    def name(self) -> str:
        return "noting"

    async def store(self, context: Any, payloads: Any) -> Any:
        self.targets.append(context.target)
        self.kept += payloads
        first = len(self.kept) - len(payloads)
        return [converter.StorageDriverClaim({"at": str(first + i)}) for i in range(len(payloads))]

    async def retrieve(self, context: Any, claims: Any) -> Any:
        return [self.kept[int(claim.claim_data["at"])] for claim in claims]


class Reversing(converter.PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        data = [payload.SerializeToString()[::-1] for payload in payloads]
        return [Payload(metadata={"encoding": b"reversed"}, data=item) for item in data]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload.FromString(payload.data[::-1]) for payload in payloads]


@pytest.fixture
def driver() -> Noting:
    return Noting()


@pytest.fixture
def data(driver: Noting) -> converter.DataConverter:
    storage = converter.ExternalStorage([driver], payload_size_threshold=0)
    return converter.DataConverter(external_storage=storage)


@pytest.fixture
def client(data: converter.DataConverter) -> Any:
    return types.SimpleNamespace(namespace="ns", data_converter=data)


def test_clients_say_for_which_workflow(client: Any, driver: Noting) -> None:
    async def body() -> None:
        for options in ({}, {"run_id": "r"}, {"run_id": ""}, {"workflow_type": "T"}):
            await _requests.converter_for(client, "w", **options).encode(["x"])
        action = ScheduleActionStartWorkflow("T", "x", id="s", task_queue="q")
        client.identity = "me"
        await schedules._action(client, action)

    asyncio.run(body())

    assert driver.targets == [
        Workflow(namespace="ns", id="w"),
        Workflow(namespace="ns", id="w", run_id="r"),
        Workflow(namespace="ns", id="w"),
        Workflow(namespace="ns", id="w", type="T"),
        Workflow(namespace="ns", id="s", type="T"),
    ]


def test_completion_from_outside_says_for_whom_as_far_as_it_knows(
    client: Any, driver: Noting
) -> None:
    calls = ActivityCalls.__new__(ActivityCalls)
    calls._client = client
    keys = (
        b"token",
        AsyncActivityIDReference("w", "r", "a"),
        AsyncActivityIDReference(None, "r", "a"),
    )

    async def body() -> None:
        for key in keys:
            input = types.SimpleNamespace(id_or_token=key, data_converter_override=None)
            await calls._converter(input).encode(["x"])

    asyncio.run(body())

    assert driver.targets == [
        None,
        Workflow(namespace="ns", id="w", run_id="r"),
        Activity(namespace="ns", id="a", run_id="r"),
    ]


@activity.defn
async def work() -> str:
    return "result"


@pytest.mark.parametrize("workflow_id", ["w", ""])
def test_activities_store_for_their_workflow_and_heartbeats_for_themselves(
    client: Any, driver: Noting, data: converter.DataConverter, workflow_id: str
) -> None:
    worker = ActivityWorker(
        task_queue="queue",
        activities=[work],
        activity_executor=None,
        shared_state_manager=None,
        data_converter=data,
        interceptors=[],
        metric_meter=common.MetricMeter.noop,
        client=client,
        code_headers=False,
        on_fatal=lambda error: None,
    )
    task = activity_task(activity_type="work", activity_id="a", activity_run_id="ar", workflow_id=workflow_id)
    if workflow_id:
        task = task._replace(workflow_run_id="r", workflow_type="T")

    async def body() -> None:
        running = Running(worker, task)
        await worker._converter_of(running).encode(["result"])
        await running.converter.encode(["heartbeat"])

    asyncio.run(body())

    itself = Activity(namespace="ns", id="a", run_id="ar", type="work")
    owner = Workflow(namespace="ns", id="w", run_id="r", type="T") if workflow_id else itself
    assert driver.targets == [owner, itself]


SECOND = timedelta(seconds=1)


@workflow.defn
class Sends:
    @workflow.run
    async def run(self) -> str:
        done = workflow.start_activity("work", "x", start_to_close_timeout=SECOND)
        signal = workflow.get_external_workflow_handle("other").signal("poke", "x")
        child = workflow.start_child_workflow("Child", "x", id="child")
        for each in (signal, child):
            asyncio.ensure_future(each)
        return await done


OWN = Workflow(namespace="default", id="workflow", run_id="run", type="Sends")


def passed(core: FakeCore, data: converter.DataConverter) -> None:
    """Lets a codec pass encode what the last activation has left."""
    last = core.last
    run = core.run
    encoded = CodecPass(data, False).encode(
        last.commands,
        last.contexts,
        None,
        lambda command: run.get_external_store_context(command).target,
    )
    asyncio.run(encoded)


@pytest.mark.parametrize("continued", [None, "before"])
def test_workflows_store_for_who_gets_it(
    driver: Noting, data: converter.DataConverter, continued: str | None
) -> None:
    core = FakeCore(Sends)
    core.run._details = dataclasses.replace(core.run._details, messages_for_codec=True)
    core.run.is_plain = False
    parent = ParentInfo(namespace="up", run_id="pr", workflow_id="p")
    core.run.info = dataclasses.replace(core.run.info, parent=parent, continued_run_id=continued)

    core.start()
    passed(core, data)
    by_start = list(driver.targets)
    driver.targets.clear()
    core.send(activity_done(1, "result"))
    passed(core, data)

    assert by_start == [
        OWN,
        Workflow(namespace="default", id="other"),
        Workflow(namespace="default", id="child", type="Child"),
    ]
    up = Workflow(namespace="up", id="p", run_id="pr")
    assert driver.targets == [OWN if continued else up]
    assert core.run.get_external_store_context(None).target == OWN


def test_references_that_a_codec_has_encoded_are_read(
    driver: Noting, data: converter.DataConverter
) -> None:
    codec = Reversing()
    coded = dataclasses.replace(data, payload_codec=codec)
    mark = "__temporal_external_storage_reference"

    async def body() -> None:
        (reference,) = await coded.encode(["kept"])
        (encoded,) = await codec.encode([reference])
        encoded.metadata[mark] = b"true"
        (plain,) = await data.encode(["plain"])
        plain.metadata[mark] = b"true"

        assert await coded.decode([encoded, reference]) == ["kept", "kept"]
        assert encoded.metadata[mark] == b"true"  # The caller's is not touched.
        with pytest.raises(RuntimeError, match="TMPRL1105"):
            await dataclasses.replace(coded, external_storage=None).decode([encoded])
        with pytest.raises(RuntimeError, match="TMPRL1106"):
            await data.decode([encoded])
        assert await data.decode([plain]) == ["plain"]

    asyncio.run(body())
