"""The workflow half of a worker on a fake bridge: runs, codecs, deadlocks, evictions."""

from __future__ import annotations

import asyncio
import io
import logging
import pdb
import queue
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from fake_bridge import play_bridge
from fake_core import PAYLOADS, START_NS, decode, error_of

import chimera._border as border
from chimera import common, converter, exceptions, workflow
from chimera.api.common.v1 import Payload
from chimera.api.failure.v1 import Failure
from chimera.api.history.v1 import WorkflowExecutionStartedEventAttributes
from chimera.worker import UnsandboxedWorkflowRunner
from chimera.worker._workflow_worker import WorkflowWorker


class FakeRun:
    """A run's handle."""

    state: Any = None

    def __init__(self, answers: queue.Queue[tuple], run_id: str, workflow_type: str) -> None:
        self.answers, self.run_id, self.workflow_type = answers, run_id, workflow_type

    def complete(self, commands: list, flags: Any, versioning: int, places: list) -> None:
        self.answers.put_nowait(("complete", commands))

    def fail(self, failure: bytes, cause: int) -> None:
        self.answers.put_nowait(("fail", Failure.FromString(failure)))


class FakeWorkflowBridge:
    def __init__(self, _queue: Any, activate: Callable, drop: Callable) -> None:
        self.activate, self.drop = activate, drop
        self.answers: queue.Queue[tuple] = queue.Queue()
        self.runs: dict[str, FakeRun] = {}

    def run(self, workflow_type: str, run_id: str = "run") -> FakeRun:
        """The handle of a cached run; another type is another run."""
        found = self.runs.get(run_id)
        if found is None or found.workflow_type != workflow_type:
            found = self.runs[run_id] = FakeRun(self.answers, run_id, workflow_type)
        return found

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def fake_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    play_bridge(monkeypatch, WorkflowBridge=FakeWorkflowBridge)


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


def activation(*jobs: border.Job) -> border.Activation:
    return border.Activation(START_NS, False, 3, 100, False, [], False, None, [], list(jobs))


def initialize(workflow_type: str, *payloads: Payload) -> border.InitializeWorkflow:
    started = WorkflowExecutionStartedEventAttributes(attempt=1)
    started.workflow_type.name = workflow_type
    started.input.payloads.extend(payloads)
    return border.InitializeWorkflow(started.SerializeToString(), "workflow", 7, START_NS)


def send(bridge: Any, workflow_type: str, *jobs: tuple) -> tuple:
    bridge.activate(bridge.run(workflow_type), activation(*jobs))
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

    assert kind == "complete" and decode(commands[0].result) == ["x", "Echo", "queue", 1]


def test_an_unknown_type_fails_the_task_and_names_the_known_ones() -> None:
    _, bridge = make(Echo)

    kind, failure = send(bridge, "None", initialize("None"))

    error = error_of(failure.SerializeToString())
    assert kind == "fail" and isinstance(error, exceptions.ApplicationError)
    assert error.type == "NotFoundError" and "available workflows: Echo" in error.message


def test_code_that_never_waits_fails_its_task_and_the_worker_goes_on() -> None:
    worker, bridge = make(Spins, Echo)
    worker._deadlock_timeout_seconds = 0.05

    kind, failure = send(bridge, "Spins", initialize("Spins"))

    assert kind == "fail" and "[TMPRL1101]" in failure.message
    assert "in run" in failure.stack_trace  # The line that spins.
    bridge.drop(bridge.run("Spins"))
    assert send(bridge, "Echo", initialize("Echo", PAYLOADS.to_payload("x")))[0] == "complete"


block = threading.Event()


@workflow.defn
class Blocks:
    ended: list[str] = []

    @workflow.run
    async def run(self) -> None:
        try:
            block.wait()  # Not Python code: nothing interrupts it.
        finally:
            self.ended.append(threading.current_thread().name)


@workflow.defn
class Swallows:
    go_on = True
    ended = threading.Event()

    @workflow.run
    async def run(self) -> None:
        try:
            while Swallows.go_on:
                try:
                    await workflow.wait_condition(lambda: False)
                except BaseException:
                    pass
        finally:  # The interruption may come between the lines, too.
            Swallows.ended.set()


class OnThread:
    """A worker with its thread, and activations that reach it there."""

    def __init__(self, *workflows: type) -> None:
        self.worker, self.bridge = make(*workflows)
        self.bridge = self.worker.open(None)
        self.worker._deadlock_timeout_seconds = 0.05

    def send(self, workflow_type: str, *jobs: tuple, run_id: str = "run") -> None:
        run = self.bridge.run(workflow_type, run_id)
        self.worker._threads.submit(self.bridge.activate, run, activation(*jobs))

    def answer(self) -> tuple:
        return self.bridge.answers.get(timeout=30)


def test_code_that_cannot_be_interrupted_holds_up_nobody(caplog: pytest.LogCaptureFixture) -> None:
    block.clear()
    Blocks.ended.clear()
    core = OnThread(Blocks, Echo)

    core.send("Blocks", initialize("Blocks"))
    core.send("Echo", initialize("Echo", PAYLOADS.to_payload("x")), run_id="other")
    answers = [core.answer(), core.answer()]
    core.send("Blocks", border.RemoveFromCache(3, "failed"))
    core.send("Echo", border.RemoveFromCache(1, "full"), run_id="other")
    evicted = core.answer()
    unanswered = core.bridge.answers.empty()  # Its code is not at its end yet.
    block.set()
    late = core.answer()
    core.worker.close()

    (failure,) = [failure for kind, failure in answers if kind == "fail"]
    assert "[TMPRL1101]" in failure.message and "block.wait()" in failure.stack_trace
    assert "Workflow Blocks with ID workflow and run ID run blocks its thread" in caplog.text
    assert evicted == ("complete", []) and unanswered
    assert late == ("complete", [])
    assert Blocks.ended[0].startswith("temporal_workflow_")


def test_shutdown_does_not_wait_for_code_that_blocks() -> None:
    block.clear()
    core = OnThread(Blocks)
    core.send("Blocks", initialize("Blocks"))
    failed, _ = core.answer()
    core.send("Blocks", border.RemoveFromCache(3, "failed"))
    while not core.worker._held_evictions:
        threading.Event().wait(0.001)

    core.worker.notify_shutdown()

    assert failed == "fail" and core.answer() == ("complete", [])
    core.worker.close()
    block.set()


def test_code_that_swallows_its_eviction_is_reported_and_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    core = OnThread(Swallows, Echo)
    core.send("Swallows", initialize("Swallows"))
    first = core.answer()

    core.send("Swallows", border.RemoveFromCache(1, "full"))
    evicted = core.answer()
    core.send("Echo", initialize("Echo", PAYLOADS.to_payload("x")), run_id="other")
    other, _ = core.answer()
    Swallows.go_on = False

    assert first == evicted == ("complete", []) and other == "complete"
    assert "Timed out running eviction job for run ID run" in caplog.text
    assert Swallows.ended.wait(30)
    core.worker.close()


@workflow.defn
class Exits:
    @workflow.run
    async def run(self) -> None:
        raise SystemExit(3)


def test_an_exit_in_workflow_code_fails_its_task_only() -> None:
    core = OnThread(Exits, Echo)
    core.worker._deadlock_timeout_seconds = 30

    core.send("Exits", initialize("Exits"))
    kind, failure = core.answer()
    core.send("Echo", initialize("Echo", PAYLOADS.to_payload("x")), run_id="other")

    assert kind == "fail" and failure.application_failure_info.type == "SystemExit"
    assert core.answer()[0] == "complete"
    core.worker.close()


@workflow.defn
class StopsInDebugger:
    @workflow.run
    async def run(self) -> str:
        breakpoint()
        return "went on"


def test_quitting_the_debugger_lets_the_workflow_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Quits(pdb.Pdb):
        def __init__(self, **options: Any) -> None:
            super().__init__(stdout=io.StringIO(), **options)
            self.cmdqueue = ["q"]

    monkeypatch.setattr(pdb, "Pdb", Quits)
    monkeypatch.setattr(sys, "breakpointhook", sys.__breakpointhook__)  # Not pytest's.
    monkeypatch.setenv("TEMPORAL_DEBUG", "1")
    _, bridge = make(StopsInDebugger)

    kind, commands = send(bridge, "StopsInDebugger", initialize("StopsInDebugger"))

    assert kind == "complete" and decode(commands[0].result) == "went on"
    assert sys.breakpointhook is sys.__breakpointhook__


@workflow.defn
class FailsTwice:
    @workflow.run
    async def run(self) -> None:
        try:
            [].pop()
        except IndexError as err:
            raise RuntimeError("no such item") from err


def test_logged_traces_have_causes_and_no_marks(caplog: pytest.LogCaptureFixture) -> None:
    _, bridge = make(FailsTwice)

    send(bridge, "FailsTwice", initialize("FailsTwice"))

    (record,) = [each for each in caplog.records if each.levelname == "WARNING"]
    assert record.exc_info and record.exc_text
    assert "IndexError" in record.exc_text and record.exc_text.endswith("no such item")
    assert "raise RuntimeError" in record.exc_text and "[].pop()" in record.exc_text
    assert "^^^" not in record.exc_text  # Python would parse the lines, in this thread.


def test_logged_errors_are_written_by_the_handlers_own_formatter() -> None:
    class OneLine(logging.Formatter):
        def formatException(self, ei: Any) -> str:
            return f"{type(ei[1]).__name__} from {type(ei[1].__cause__).__name__} at {ei[2].tb_lineno}"

    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(OneLine("%(message)s"))
    logger = logging.getLogger("temporalio.worker._workflow_instance")
    logger.addHandler(handler)
    try:
        _, bridge = make(FailsTwice)
        send(bridge, "FailsTwice", initialize("FailsTwice"))
    finally:
        logger.removeHandler(handler)

    assert "\nRuntimeError from IndexError at " in out.getvalue()
    assert "Traceback" not in out.getvalue()


def test_dropped_runs_end_their_code_orderly() -> None:
    _, bridge = make(Waits)
    send(bridge, "Waits", initialize("Waits"))
    Waits.finished.clear()

    bridge.drop(bridge.run("Waits"))

    assert Waits.finished == ["finally"] and bridge.run("Waits").state is None


def test_evictions_are_answered() -> None:
    _, bridge = make(Waits)
    send(bridge, "Waits", initialize("Waits"))

    assert send(bridge, "Waits", border.RemoveFromCache(1, "full")) == ("complete", [])
    assert bridge.run("Waits").state is None


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
        bridge.activate(bridge.run("Echo"), activation(job))
        kind, commands = await asyncio.to_thread(bridge.answers.get)

        payload = Payload.FromString(commands[0].result)
        assert kind == "complete" and payload.metadata["encoding"] == b"wrap"
        assert (await data.decode([payload]))[0][0] == "x"

    asyncio.run(body())


class Locked(Wrap):
    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        raise exceptions.ApplicationError("no key", "detail", non_retryable=True)


def test_a_codec_that_refuses_for_good_fails_the_run_by_a_failure_that_it_encodes() -> None:
    async def body() -> None:
        _, bridge = make(Echo, data=converter.DataConverter(payload_codec=Locked()))

        job = initialize("Echo", PAYLOADS.to_payload("x"))
        bridge.activate(bridge.run("Echo"), activation(job))
        kind, commands = await asyncio.to_thread(bridge.answers.get)

        assert kind == "complete" and isinstance(commands[0], border.FailWorkflowExecution)
        failure = Failure.FromString(commands[0].failure)
        (detail,) = failure.application_failure_info.details.payloads
        assert failure.message == "no key" and detail.metadata["encoding"] == b"wrap"

    asyncio.run(body())


def test_registration_errors() -> None:
    with pytest.raises(ValueError, match="More than one workflow named Echo"):
        make(Echo, Echo)
    with pytest.raises(ValueError, match="missing attributes, was it decorated"):
        make(int)
