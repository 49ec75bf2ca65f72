"""samples/python/pipeline: steps that are named at run time, and samples/mixed/pipeline: of both languages."""

import asyncio
import json
from typing import Any

import pytest
from live_support import BUILD, ROOT, events, sample

from chimera import activity
from chimera.client import Client, WorkflowFailureError, WorkflowHandle
from chimera.common import RawValue
from chimera.exceptions import ApplicationError
from chimera.worker import Replayer, Worker

pipeline = sample("python/pipeline/pipeline.py")
mixed = sample("mixed/pipeline/steps.py")
TEXT = "the cat sat on the mat"


def read(path: str) -> list[Any]:
    stages: list[Any] = json.loads((ROOT / "samples" / path).read_text())
    return stages


def serving(client: Client, name: str, cache: int, *more: Any) -> Worker:
    return Worker(
        client,
        task_queue=name,
        workflows=[pipeline.PipelineWorkflow],
        activities=[*pipeline.STEPS, *more],
        max_cached_workflows=cache,
    )


async def start(client: Client, name: str, stages: list[Any], value: Any = TEXT) -> WorkflowHandle[Any, Any]:
    return await client.start_workflow(
        "Pipeline", args=[stages, value], id=name, task_queue=name, result_type=RawValue
    )


async def outcome(client: Client, name: str, cache: int, stages: list[Any], *more: Any, value: Any = TEXT) -> str:
    """The JSON of the result; for a pipeline that fails, the failure and its causes."""
    async with serving(client, name, cache, *more):
        handle = await start(client, name, stages, value)
        try:
            told: str = (await handle.result()).payload.data.decode()
        except WorkflowFailureError as error:
            assert isinstance(error.cause, ApplicationError)
            assert error.cause.type == "StepFailed"
            told = " <- ".join(str(each) for each in causes(error.cause))
    await Replayer(workflows=[pipeline.PipelineWorkflow]).replay_workflow(await handle.fetch_history())
    return told


def causes(error: BaseException | None) -> list[BaseException]:
    return [error, *causes(error.__cause__)] if error else []


async def remote(client: Client, name: str) -> list[str]:
    scheduled = await events(client.get_workflow_handle(name), "activity_task_scheduled")
    return [each.activity_type.name for each in scheduled]


async def test_words(client: Client, name: str, cache: int):
    told = await outcome(client, name, cache, read("python/pipeline/words.json"))

    assert told == '"6 words, the longest is elephant"'
    assert await remote(client, name) == ["replace", "count", "longest"]
    assert len(await events(client.get_workflow_handle(name), "marker_recorded")) == 2  # split and report


def test_both_languages_have_the_same_file():
    assert read("python/pipeline/words.json") == read("cpp/pipeline/words.json")


async def test_no_stage(client: Client, name: str, cache: int):
    assert await outcome(client, name, cache, []) == '"the cat sat on the mat"'


@pytest.mark.parametrize("local", [False, True], ids=["remote", "local"])
async def test_an_unknown_step(client: Client, name: str, cache: int, local: bool):
    stages = [[{"name": "split"}], [{"name": "count"}, {"name": "frobnicate", "local": local}]]
    told = await outcome(client, name, cache, stages)

    assert told.startswith("StepFailed: step frobnicate of stage 2 failed <- ")
    assert ("It knows: count, longest," if not local else "UnknownStep: this program has no step frobnicate") in told


async def test_a_step_that_fails(client: Client, name: str, cache: int):
    stages = [[{"name": "split"}], [{"name": "longest", "attempts": 2}]]
    told = await outcome(client, name, cache, stages, value="")

    assert "step longest of stage 2 failed" in told
    assert told.endswith("<- Empty: there are no words")
    attempts = [each.attempt for each in await events(client.get_workflow_handle(name), "activity_task_started")]
    assert attempts == [1, 2]


@activity.defn
async def nothing(text: str) -> None:
    pass


@activity.defn
async def noise(text: str) -> bytes:
    return b"\x00"


async def test_what_stands_in_a_list(client: Client, name: str, cache: int):
    stage = [{"name": "nothing"}, {"name": "split"}]
    assert await outcome(client, name, cache, [stage], nothing, value="a b") == '[null,["a","b"]]'


async def test_what_cannot_stand_in_a_list(client: Client, name: str, cache: int):
    stages = [[{"name": "noise"}, {"name": "split"}]]
    async with serving(client, name, cache, noise):
        with pytest.raises(WorkflowFailureError) as raised:
            await (await start(client, name, stages)).result()
    assert "the output of step noise is binary/plain" in str(raised.value.cause)


async def test_the_rest_of_a_stage_is_cancelled(client: Client, name: str, cache: int):
    begun, told = asyncio.Event(), asyncio.Event()

    @activity.defn
    async def endless(text: str) -> None:
        begun.set()
        try:
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.02)
        finally:
            told.set()

    @activity.defn
    async def failing(text: str) -> None:
        await asyncio.wait_for(begun.wait(), 20)
        raise ApplicationError("no", non_retryable=True)

    told_by = await outcome(client, name, cache, [[{"name": "failing"}, {"name": "endless"}]], endless, failing)
    assert "step failing of stage 1 failed" in told_by
    assert told.is_set()


async def test_a_pipeline_that_is_cancelled(client: Client, name: str, cache: int):
    begun = asyncio.Event()

    @activity.defn
    async def endless(text: str) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with serving(client, name, cache, endless):
        handle = await start(client, name, [[{"name": "endless"}]])
        await asyncio.wait_for(begun.wait(), 20)
        assert await handle.query("progress") == "stage 1 of 1"
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()
    assert type(raised.value.cause).__name__ == "CancelledError"


async def test_steps_of_both_languages_in_one_pipeline(client: Client, name: str, cache: int):
    """The workflow and some steps are C++, the others Python."""
    library = BUILD / "samples/libpipeline_steps.so"
    steps = [mixed.without_stop_words, mixed.letters, mixed.describe]
    async with Worker(client, task_queue=name, activities=steps, native=[library], max_cached_workflows=cache):
        handle = await start(client, name, read("mixed/pipeline/letters.json"), "the cat and the elephant of an island")
        told = (await handle.result()).payload.data.decode()

    assert told == '"3 words that matter, with 17 letters, 8 of them in elephant"'
    assert await remote(client, name) == ["without_stop_words", "longest", "letters", "describe"]
