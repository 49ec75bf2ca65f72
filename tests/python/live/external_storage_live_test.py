"""For whom external storage keeps what a client, a workflow and an activity send: as the official package says it."""

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

from live_support import worker

from chimera import activity, converter, workflow
from chimera.api.common.v1 import Payload
from chimera.client import Client

SECONDS = timedelta(seconds=10)
Workflow, Activity = converter.StorageDriverWorkflowInfo, converter.StorageDriverActivityInfo


class Noting(converter.StorageDriver):
    def __init__(self) -> None:
        self.kept: list[Payload] = []
        self.seen: dict[str, Any] = {}

    def name(self) -> str:
        return "noting"

    async def store(self, context: Any, payloads: Any) -> list[converter.StorageDriverClaim]:
        claims = []
        for payload in payloads:
            self.seen[payload.data.decode().strip('"')] = context.target
            claims.append(converter.StorageDriverClaim({"at": str(len(self.kept))}))
            self.kept.append(payload)
        return claims

    async def retrieve(self, context: Any, claims: Any) -> list[Payload]:
        return [self.kept[int(claim.claim_data["at"])] for claim in claims]


@activity.defn
async def label(text: str) -> str:
    activity.heartbeat("heartbeat")
    return "activity's result"


@workflow.defn
class Child:
    @workflow.run
    async def run(self, text: str) -> str:
        return "child's result"


@workflow.defn
class Main:
    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.run
    async def run(self, text: str) -> str:
        id = workflow.info().workflow_id
        await workflow.execute_activity(
            label, "activity's argument", start_to_close_timeout=SECONDS, heartbeat_timeout=SECONDS
        )
        await workflow.execute_child_workflow(Child.run, "child's argument", id=f"{id}-child")
        await workflow.get_external_workflow_handle(f"{id}-other").signal("hear", "workflow's signal")
        await workflow.wait_condition(lambda: bool(self.heard))
        return "result"

    @workflow.signal
    def hear(self, text: str) -> None:
        self.heard.append(text)

    @workflow.update
    async def change(self, text: str) -> str:
        return "update's result"


@workflow.defn
class Other:
    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: bool(self.heard))

    @workflow.signal
    def hear(self, text: str) -> None:
        self.heard.append(text)


async def test_drivers_are_told_for_whom_they_store(client: Client, name: str):
    driver = Noting()
    storage = converter.ExternalStorage([driver], payload_size_threshold=0)
    config = client.config()
    config["data_converter"] = dataclasses.replace(converter.default(), external_storage=storage)
    storing = Client(**config)
    async with worker(storing, name, 10, Main, Child, Other, label):
        other = await storing.start_workflow(Other.run, id=f"{name}-other", task_queue=name)
        main = await storing.start_workflow(Main.run, "argument", id=name, task_queue=name)
        await asyncio.gather(other.result(), main.execute_update(Main.change, "update's argument"))
        await main.signal(Main.hear, "client's signal")
        assert await main.result() == "result"

    run_id = main.first_execution_run_id
    from_client = Workflow(namespace="default", id=name)
    itself = Workflow(namespace="default", id=name, run_id=run_id, type="Main")
    seen = driver.seen
    heartbeat = seen.pop("heartbeat")
    seen.pop("", None)  # The other's result, None.
    assert seen == {
        "argument": dataclasses.replace(from_client, type="Main"),
        "update's argument": from_client,
        "client's signal": from_client,
        "activity's argument": itself,
        "activity's result": itself,
        "child's argument": Workflow(namespace="default", id=f"{name}-child", type="Child"),
        "child's result": Workflow(namespace="default", id=name, run_id=run_id),
        "workflow's signal": Workflow(namespace="default", id=f"{name}-other"),
        "update's result": itself,
        "result": itself,
    }
    assert (heartbeat.namespace, heartbeat.type) == ("default", "label")
