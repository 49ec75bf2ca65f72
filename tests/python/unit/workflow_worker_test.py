"""The workflow half of a worker on a fake bridge: runs, codecs, deadlocks, evictions."""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from chimera import common, converter, exceptions, workflow
from chimera.api.common.v1 import Payload
from chimera.api.failure.v1 import Failure
from chimera.api.history.v1 import WorkflowExecutionStartedEventAttributes
from chimera.worker import UnsandboxedWorkflowRunner
from chimera.worker._threads import Watchdog
from chimera.worker._workflow_worker import WorkflowWorker
from fake_core import PAYLOADS, START_NS, decode, error_of


class FakeWorkflowBridge:
    def __init__(self, queue: Any, activate: Callable, drop: Callable) -> None:
        self.activate, self.drop = activate, drop
        self.answers: asyncio.Queue[tuple] = asyncio.Queue()

    def complete(self, run_id: str, commands: list, flags: Any, versioning: int) -> None:
        self.answers.put_nowait(("complete", commands))

    def fail(self, run_id: str, failure: bytes, cause: int) -> None:
        self.answers.put_nowait(("fail", Failure.FromString(failure)))


@pytest.fixture(autouse=True)
def fake_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    import chimera

    module = types.ModuleType("chimera._bridge")
    module.WorkflowBridge = FakeWorkflowBridge  # type: ignore
    monkeypatch.setitem(sys.modules, "chimera._bridge", module)
    monkeypatch.setattr(chimera, "_bridge", module, raising=False)


def make(*workflows: type, data: converter.DataConverter = converter.default()) -> Any:
    worker = WorkflowWorker(
        namespace="default",
        task_queue="queue",
        workflows=workflows,
        workflow_runner=UnsandboxedWorkflowRunner(),
        unsandboxed_workflow_runner=UnsandboxedWorkflowRunner(),
        data_converter=data,
        interceptors=[],
        workflow_failure_exception_types=[],
        patch_activation_callback=None,
        debug_mode=False,
        disable_eager_activity_execution=False,
        metric_meter=common.MetricMeter.noop,
        disable_safe_eviction=False,
        enforce_versioning_behavior=False,
        assert_local_activity_valid=lambda name: None,
        code_headers=False,
    )
    return worker, worker.make_bridge(None)  # type: ignore


def activation(*jobs: tuple) -> tuple:
    return ("run", START_NS, False, 3, 100, False, (), False, None, (), list(jobs))


def initialize(workflow_type: str, *payloads: Payload) -> tuple:
    started = WorkflowExecutionStartedEventAttributes(attempt=1)
    started.workflow_type.name = workflow_type
    started.input.payloads.extend(payloads)
    return ("initialize", started.SerializeToString(), "workflow", 7, START_NS)


def send(bridge: Any, workflow_type: str, *jobs: tuple) -> tuple:
    bridge.activate("run", workflow_type, activation(*jobs))
    return bridge.answers.get_nowait()


@workflow.defn
class Echo:
    @workflow.run
    async def run(self, value: str) -> list[Any]:
        info = workflow.info()
        await workflow.wait_condition(lambda: bool(value))
        return [value, info.workflow_type, info.task_queue, info.attempt]


@workflow.defn
class Spins:
    @workflow.run
    async def run(self) -> None:
        while True:
            pass


@workflow.defn
class Waits:
    finished: list[str] = []

    @workflow.run
    async def run(self) -> None:
        try:
            await workflow.wait_condition(lambda: False)
        finally:
            self.finished.append("finally")


def test_a_run_answers_its_activation_at_once() -> None:
    _, bridge = make(Echo)

    kind, commands = send(bridge, "Echo", initialize("Echo", PAYLOADS.to_payload("x")))

    assert kind == "complete" and decode(commands[0][1]) == ["x", "Echo", "queue", 1]


def test_an_unknown_type_fails_the_task_and_names_the_known_ones() -> None:
    _, bridge = make(Echo)

    kind, failure = send(bridge, "None", initialize("None"))

    error = error_of(failure.SerializeToString())
    assert kind == "fail" and isinstance(error, exceptions.ApplicationError)
    assert error.type == "NotFoundError" and "available workflows: Echo" in error.message


def test_code_that_never_waits_fails_its_task_and_the_worker_goes_on() -> None:
    worker, bridge = make(Spins, Echo)
    worker._watchdog = Watchdog(0.05)

    kind, failure = send(bridge, "Spins", initialize("Spins"))

    assert kind == "fail" and "[TMPRL1101]" in failure.message
    assert "in run" in failure.stack_trace  # The line that spins.
    bridge.drop("run")
    assert send(bridge, "Echo", initialize("Echo", PAYLOADS.to_payload("x")))[0] == "complete"


def test_dropped_runs_end_their_code_orderly() -> None:
    worker, bridge = make(Waits)
    send(bridge, "Waits", initialize("Waits"))
    Waits.finished.clear()

    bridge.drop("run")

    assert Waits.finished == ["finally"] and not worker._runs


def test_evictions_are_answered() -> None:
    worker, bridge = make(Waits)
    send(bridge, "Waits", initialize("Waits"))

    assert send(bridge, "Waits", ("remove_from_cache", 1, "full")) == ("complete", [])
    assert not worker._runs


class Wrap(converter.PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        data = [payload.SerializeToString() for payload in payloads]
        return [Payload(metadata={"encoding": b"wrap"}, data=item) for item in data]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload.FromString(payload.data) for payload in payloads]


def test_a_codec_sees_all_that_comes_in_and_goes_out() -> None:
    async def body() -> None:
        data = converter.DataConverter(payload_codec=Wrap())
        _, bridge = make(Echo, data=data)
        (argument,) = await data.encode(["x"])

        job = initialize("Echo", argument)
        bridge.activate("run", "Echo", activation(job))
        kind, commands = await bridge.answers.get()

        payload = Payload.FromString(commands[0][1])
        assert kind == "complete" and payload.metadata["encoding"] == b"wrap"
        assert (await data.decode([payload]))[0][0] == "x"

    asyncio.run(body())


def test_registration_errors() -> None:
    with pytest.raises(ValueError, match="More than one workflow named Echo"):
        make(Echo, Echo)
    with pytest.raises(ValueError, match="missing attributes, was it decorated"):
        make(int)
