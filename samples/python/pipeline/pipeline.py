"""A pipeline: its steps are activities that a caller names at run time, in whatever language they are written.

    python samples/python/pipeline/pipeline.py samples/pipelines/words.json "some text"
    python samples/python/pipeline/pipeline.py samples/pipelines/words.json "some text" localhost:7233
"""

import asyncio
import json
import pathlib
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from chimera import activity, workflow
from chimera.api.common.v1 import Payload
from chimera.client import Client, WorkflowFailureError
from chimera.common import RawValue, RetryPolicy
from chimera.exceptions import ApplicationError, FailureError, is_cancelled_exception
from chimera.testing import WorkflowEnvironment
from chimera.worker import Worker

TASK_QUEUE = "pipeline"


# Steps: ordinary activities, with types of their own.


@activity.defn
async def replace(text: str, settings: dict[str, str]) -> str:
    return text.replace(settings["from"], settings["to"])


@activity.defn
async def split(text: str) -> list[str]:
    return text.split()


@activity.defn
async def count(words: list[str]) -> int:
    return len(words)


@activity.defn
async def longest(words: list[str]) -> str:
    if not words:
        raise ApplicationError("there are no words", type="Empty")
    return max(words, key=len)


@activity.defn
async def report(facts: tuple[int, str]) -> str:
    return f"{facts[0]} words, the longest is {facts[1]}"


STEPS = [replace, split, count, longest, report]


@dataclass
class Step:
    """An activity, and how to run it."""

    name: str
    settings: dict[str, str] = field(default_factory=dict)  # Its second argument, if there are any.
    local: bool = False  # Run inside the workflow task: for short steps of this program.
    timeout_seconds: float = 10
    attempts: int = 3


@workflow.defn(name="Pipeline")
class PipelineWorkflow:
    """Hands values from step to step without knowing their types: nobody reads a RawValue."""

    def __init__(self) -> None:
        self._stage = self._stages = 0

    @workflow.run
    async def run(self, stages: list[list[Step]], value: RawValue) -> RawValue:
        """The steps of a stage run at the same time. One step hands on its output, several a list of their outputs."""
        self._stages = len(stages)
        for stage in stages:
            self._stage += 1
            value = await self._run_stage(stage, value)
        return value

    async def _run_stage(self, stage: list[Step], value: RawValue) -> RawValue:
        running = [asyncio.create_task(self._run_step(step, value)) for step in stage]
        try:
            outputs = await asyncio.gather(*running)
        except FailureError:
            for other in running:
                other.cancel()
            await asyncio.gather(*running, return_exceptions=True)  # So that they are told before the workflow ends.
            raise
        return outputs[0] if len(outputs) == 1 else list_of(stage, outputs)

    async def _run_step(self, step: Step, value: RawValue) -> RawValue:
        try:
            return await self._start(step, value)
        except FailureError as error:
            if is_cancelled_exception(error):
                raise  # It was asked to stop; it did not fail.
            raise ApplicationError(f"step {step.name} of stage {self._stage} failed", type="StepFailed") from error

    def _start(self, step: Step, value: RawValue) -> workflow.ActivityHandle[RawValue]:
        # Without a type for the result it would be read, and written again.
        options: dict[str, Any] = {
            "args": [value, step.settings] if step.settings else [value],
            "result_type": RawValue,
            "start_to_close_timeout": timedelta(seconds=step.timeout_seconds),
            # A worker answers "NotFoundError" for a name that it does not have. All workers of a task queue have the
            # same activities, so that another attempt would find no more.
            "retry_policy": RetryPolicy(
                initial_interval=timedelta(milliseconds=200),
                maximum_attempts=step.attempts,
                non_retryable_error_types=["NotFoundError"],
            ),
        }
        if not step.local:
            return workflow.start_activity(step.name, **options)
        # There is no queue where somebody could wait who has it; the task would fail until we do.
        if step.name not in [known.__name__ for known in STEPS]:
            raise ApplicationError(f"this program has no step {step.name}", type="UnknownStep")
        return workflow.start_local_activity(step.name, **options)

    @workflow.query
    def progress(self) -> str:
        return f"stage {self._stage} of {self._stages}"


def list_of(stage: list[Step], outputs: list[RawValue]) -> RawValue:
    """The outputs as one JSON list, put together without reading them."""
    texts = []
    for step, output in zip(stage, outputs):
        encoding = output.payload.metadata["encoding"]
        if encoding != b"binary/null" and not encoding.startswith(b"json/"):
            raise ApplicationError(
                f"the output of step {step.name} is {encoding.decode()}, which cannot stand in a list"
            )
        texts.append(output.payload.data or b"null")
    return RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"[" + b",".join(texts) + b"]"))


def worker(client: Client) -> Worker:
    return Worker(client, task_queue=TASK_QUEUE, workflows=[PipelineWorkflow], activities=STEPS)


def read(path: str) -> Any:
    return json.loads(pathlib.Path(path).read_text())


async def send(client: Client, path: str, text: str) -> str:
    async with worker(client):
        handle = await client.start_workflow(
            "Pipeline", args=[read(path), text], id=f"pipeline-{path}", task_queue=TASK_QUEUE, result_type=RawValue
        )
        try:
            return (await handle.result()).payload.data.decode()  # JSON, whatever the last step gave.
        except WorkflowFailureError as error:
            cause: BaseException | None = error.cause
            told = [await handle.query(PipelineWorkflow.progress)]
            while cause:
                told.append(str(cause))
                cause = cause.__cause__
            return ": ".join(told)


async def main() -> None:
    path, text, *address = sys.argv[1:]
    if address:
        print(await send(await Client.connect(address[0]), path, text))
        return
    async with await WorkflowEnvironment.start_local() as environment:
        print(await send(environment.client, path, text))


if __name__ == "__main__":
    asyncio.run(main())
