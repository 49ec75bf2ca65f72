"""Runs of workflows on hand-written activations: commands, their order, and what ends a run."""

import asyncio
import logging
import random
import warnings
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from fake_core import (
    START_NS,
    FakeCore,
    activity_done,
    assert_same,
    decode,
    encode,
    error_of,
    failure,
    names,
    query,
    responses,
    signal,
    update,
)

import chimera._border as border
from chimera import common, exceptions, workflow
from chimera.api.command.v1 import (
    ContinueAsNewWorkflowExecutionCommandAttributes,
    SignalExternalWorkflowExecutionCommandAttributes,
    StartChildWorkflowExecutionCommandAttributes,
)
from chimera.api.common.v1 import Memo, RetryPolicy, SearchAttributes
from chimera.worker._interceptor import WorkflowInboundInterceptor, WorkflowOutboundInterceptor

SECOND = timedelta(seconds=1)


@workflow.defn
class Order:
    def __init__(self) -> None:
        self.log: list[str] = []
        self.open = True

    @workflow.run
    async def run(self, name: str) -> list[str]:
        self.log.append(f"run {name}")
        await workflow.wait_condition(lambda: not self.open)
        return self.log

    @workflow.signal
    async def note(self, text: str) -> None:
        self.log.append(text)

    @workflow.signal
    def close(self) -> None:
        self.open = False

    @workflow.query
    def peek(self) -> list[str]:
        return self.log

    @workflow.query
    def bad_peek(self) -> None:
        workflow.random()

    @workflow.update
    async def add(self, text: str) -> int:
        self.log.append(text)
        return len(self.log)

    @add.validator
    def check_add(self, text: str) -> None:
        if not text:
            raise ValueError("empty")

    @workflow.update
    async def slow(self) -> str:
        info = workflow.current_update_info()
        assert info and info.name == "slow"
        await workflow.execute_activity("work", start_to_close_timeout=SECOND)
        return "done"


def test_signals_of_the_first_task_come_before_the_main_function() -> None:
    core = FakeCore(Order)

    core.start("x", more=[signal("note", "early"), signal("close")])

    assert decode(core.last.commands[0].result) == ["early", "run x"]


def test_a_signal_that_does_not_decode_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    core = FakeCore(Order)
    core.start("x")

    core.send(signal("note", {"not": "text"}), signal("close"))

    assert decode(core.last.commands[0].result) == ["run x"]
    assert "dropping the signal" in caplog.text


def test_queries_answer_and_change_nothing() -> None:
    core = FakeCore(Order)
    core.start("x")

    commands = core.send(query("peek"), query("bad_peek", id="b"), query("none", id="n"))

    assert names(commands) == ["RespondToQuery"] * 3 and commands[0].query_id == "q"
    assert decode(commands[0].result) == ["run x"]
    assert "While in read-only function, action attempted: random" in str(error_of(commands[1].failure))
    known = "known queries: [__enhanced_stack_trace __stack_trace __temporal_workflow_metadata"
    assert known + " bad_peek peek]" in str(error_of(commands[2].failure))


def test_the_stack_trace_query_shows_where_code_waits() -> None:
    core = FakeCore(Order)
    core.start("x")

    text = decode(core.send(query("__stack_trace"))[0].result)

    assert "workflow_run_test.py" in text
    assert "(workflow: Order, id: workflow, run: run)" in text


def test_updates_are_validated_accepted_and_completed_in_one_task() -> None:
    core = FakeCore(Order)
    core.start("x")

    commands = core.send(update("add", "a", id="1"), update("add", "", id="2"), update("no", id="3"))

    assert responses(commands) == [
        ("1-1", "accepted"),
        ("1-1", "completed"),
        ("2-1", "rejected"),
        ("3-1", "rejected"),
    ]
    assert "known updates: [add slow]" in str(error_of(commands[-1].response.failure))


def test_an_update_of_a_wrong_number_of_arguments_is_refused() -> None:
    core = FakeCore(Order)
    core.start("x")

    commands = core.send(update("add", "a", "b"))

    assert responses(commands) == [("u-1", "rejected")]
    # The validator, where there is one, says it first.
    assert "check_add() takes 2 positional arguments" in str(error_of(commands[0].response.failure))


@pytest.mark.parametrize("args", [(), ("a", "b")])
def test_a_signal_of_a_wrong_number_of_arguments_fails_the_task(args: tuple) -> None:
    """As in the official worker: dropped here, a mended handler would run it in the next replay."""
    core = FakeCore(Order)
    core.start("x")

    assert "positional argument" in core.fails(signal("note", *args)).message


def test_handlers_without_parameters_take_any_arguments() -> None:
    """As in the official worker."""
    core = FakeCore(Order)
    core.start("x")

    commands = core.send(update("slow", 1))

    assert responses(commands)[0] == ("u-1", "accepted")


def test_a_rejected_update_wakes_no_condition() -> None:
    core = FakeCore(Order)
    core.start("x")
    core.run.object.open = False  # As if something had changed without a trace.

    assert names(core.send(update("add", ""))) == ["UpdateResponse"]
    assert names(core.send(update("add", "b"))) == ["UpdateResponse", "UpdateResponse", "CompleteWorkflowExecution"]


def test_replayed_updates_are_not_validated() -> None:
    core = FakeCore(Order)
    core.start("x", replaying=True)

    commands = core.send(update("add", "", run_validator=False), replaying=True)

    assert [what for _, what in responses(commands)] == ["accepted", "completed"]


def test_ending_with_an_open_update_warns() -> None:
    core = FakeCore(Order)
    core.start("x")
    assert names(core.send(update("slow"))) == ["UpdateResponse", "ScheduleActivity"]

    with pytest.warns(workflow.UnfinishedUpdateHandlersWarning, match=r'\[{"name": "slow", "id"'):
        core.send(signal("close"))


def test_eviction_ends_all_code_without_warnings_or_commands() -> None:
    core = FakeCore(Order)
    core.start("x")
    core.send(update("slow"))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        core.evict()

    assert core.last.commands == [] and not core.run.loop.tasks


@workflow.defn
class Stubborn:
    @workflow.run
    async def run(self) -> None:
        for _ in range(2):
            try:
                await asyncio.get_running_loop().create_future()
            except BaseException:
                continue


def test_code_that_cannot_be_evicted_is_reported_with_its_stack() -> None:
    core = FakeCore(Stubborn)
    core.start()

    with pytest.raises(RuntimeError, match="1 tasks remain"):
        core.evict()
    core.evict()


@workflow.defn
class Activities:
    @workflow.run
    async def run(self, mode: str) -> Any:
        handle = workflow.start_activity(
            "work",
            args=[1, "a"],
            start_to_close_timeout=SECOND,
            retry_policy=common.RetryPolicy(maximum_attempts=2),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            result_type=float,
        )
        if mode == "cancel at once":
            handle.cancel()
        if mode == "cancel":
            await workflow.sleep(5)
            handle.cancel()
        try:
            return await handle
        except exceptions.ActivityError as err:
            return f"{type(err.cause).__name__}: {err.cause}"


def test_activities_carry_their_options_and_decode_their_result() -> None:
    core = FakeCore(Activities)

    (command,) = core.start("")

    assert command == border.ScheduleActivity(
        seq=1,
        activity_id="1",
        activity_type="work",
        task_queue="queue",
        header={},
        arguments=command.arguments,
        schedule_to_close_timeout=0,
        schedule_to_start_timeout=0,
        start_to_close_timeout=1_000_000_000,
        heartbeat_timeout=0,
        retry_policy=command.retry_policy,
        priority=None,
        use_workflow_build_id=True,
        cancellation_type=1,
        do_not_eagerly_execute=False,
        user_metadata=None,
    )
    assert RetryPolicy.FromString(command.retry_policy).maximum_attempts == 2
    result = decode(core.send(activity_done(1, 2))[0].result)
    assert result == 2.0 and isinstance(result, float)


def test_failed_activities_raise_with_their_cause() -> None:
    core = FakeCore(Activities)
    core.start("")
    error = exceptions.ActivityError(
        "a",
        scheduled_event_id=1,
        started_event_id=2,
        identity="",
        activity_type="work",
        activity_id="1",
        retry_state=None,
    )
    error.__cause__ = exceptions.ApplicationError("boom", type="T")

    commands = core.send(border.ResolveActivity(1, border.Failed(failure(error)), False))

    assert decode(commands[0].result) == "ApplicationError: T: boom"


def test_a_cancelled_handle_sends_one_command_and_waits_for_the_answer() -> None:
    core = FakeCore(Activities)
    core.start("cancel")

    assert_same(core.send(border.FireTimer(1)), [border.RequestCancelActivity(1)])
    assert names(core.send(activity_done(1, 7))) == ["CompleteWorkflowExecution"]


def test_a_handle_cancelled_before_it_began_cancels_the_activity_too() -> None:
    core = FakeCore(Activities)

    commands = core.start("cancel at once")

    assert names(commands) == ["ScheduleActivity", "RequestCancelActivity", "FailWorkflowExecution"]
    assert isinstance(error_of(commands[2].failure), exceptions.CancelledError)


@workflow.defn
class Local:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_local_activity(
            "work",
            schedule_to_close_timeout=SECOND,
            local_retry_threshold=SECOND,
            result_type=str,
        )


@workflow.defn
class Options:
    @workflow.run
    async def run(self, local: bool, option: str, seconds: float) -> None:
        options: Any = {"start_to_close_timeout": SECOND, option: timedelta(seconds=seconds)}
        if local:
            await workflow.execute_local_activity("work", **options)
        else:
            await workflow.execute_activity("work", **options)


@pytest.mark.parametrize("local, option", [
    *((True, name) for name in ("start_to_close_timeout", "schedule_to_close_timeout",
                                "schedule_to_start_timeout", "local_retry_threshold")),
    *((False, name) for name in ("start_to_close_timeout", "schedule_to_close_timeout",
                                 "schedule_to_start_timeout", "heartbeat_timeout")),
])
def test_a_negative_duration_is_refused_by_its_options_name(local: bool, option: str) -> None:
    core = FakeCore(Options)
    with pytest.raises(AssertionError, match=f"task failed: message: \"{option} is negative"):
        core.start(local, option, -1.0)


def test_a_duration_that_nanoseconds_cannot_hold_is_the_longest() -> None:
    core = FakeCore(Options)
    (command,) = core.start(True, "start_to_close_timeout", 9.3e9)
    assert command.start_to_close_timeout == 9_223_372_036 * 1_000_000_000


def test_local_activities_back_off_on_a_timer_and_are_scheduled_again() -> None:
    core = FakeCore(Local)
    (command,) = core.start()
    assert names([command]) == ["ScheduleLocalActivity"] and command.original_schedule_time is None
    assert (command.seq, command.activity_id, command.activity_type, command.attempt) == (1, "1", "work", 1)
    assert command.schedule_to_close_timeout == command.local_retry_threshold == 1_000_000_000

    backoff = core.send(border.ResolveActivity(1, border.Backoff(2, 3_000_000_000, START_NS), True))
    again = core.send(border.FireTimer(1))

    assert_same(backoff, [border.StartTimer(1, 3_000_000_000, None)])
    assert (again[0].seq, again[0].activity_id, again[0].attempt) == (2, "2", 2)
    assert again[0].original_schedule_time == START_NS
    assert names(core.send(activity_done(2, "ok", local=True))) == ["CompleteWorkflowExecution"]


@workflow.defn
class Timers:
    @workflow.run
    async def run(self, mode: str) -> Any:
        if mode == "timeout":
            try:
                await workflow.wait_condition(lambda: False, timeout=2.5)
            except asyncio.TimeoutError:
                return "late"
        if mode == "condition":
            await workflow.wait_condition(lambda: True, timeout=1, timeout_summary="s")
        if mode == "zero":
            await asyncio.sleep(0)
        if mode == "race":
            done, pending = await workflow.wait(
                [asyncio.create_task(asyncio.sleep(2)), asyncio.create_task(asyncio.sleep(1))],
                return_when=asyncio.FIRST_COMPLETED,
            )
            pending[0].cancel()
            return [len(done), len(pending)]
        return workflow.now().timestamp()


def test_timers_and_timeouts() -> None:
    core = FakeCore(Timers)
    assert_same(core.start("timeout"), [border.StartTimer(1, 2_500_000_000, None)])
    assert decode(core.send(border.FireTimer(1))[0].result) == "late"

    core = FakeCore(Timers)
    # The timer is made even if the condition holds already: histories have it.
    assert names(core.start("condition")) == ["StartTimer", "CancelTimer", "CompleteWorkflowExecution"]
    assert core.last.commands[0].user_metadata

    core = FakeCore(Timers)
    assert decode(core.start("zero")[0].result) == START_NS / 1e9

    core = FakeCore(Timers)
    assert [(c.seq, c.start_to_fire_timeout) for c in core.start("race")] == [(1, 2 * 10**9), (2, 10**9)]
    commands = core.send(border.FireTimer(2))
    assert sorted(names(commands)) == ["CancelTimer", "CompleteWorkflowExecution"]


@workflow.defn
class Cancel:
    @workflow.run
    async def run(self, cleanup: bool) -> str:
        try:
            await workflow.wait_condition(lambda: False)
        except asyncio.CancelledError:
            if not cleanup:
                raise
            assert workflow.cancellation_reason() == "why"
            await workflow.sleep(1)
        return "clean"


def test_cancelling_a_workflow() -> None:
    core = FakeCore(Cancel)
    core.start(False)
    assert_same(core.send(border.CancelWorkflow("why")), [border.CancelWorkflowExecution()])

    core = FakeCore(Cancel)
    core.start(True)
    assert names(core.send(border.CancelWorkflow("why"))) == ["StartTimer"]
    assert decode(core.send(border.FireTimer(1))[0].result) == "clean"


def test_a_workflow_cancelled_before_it_began_runs_to_its_first_wait() -> None:
    core = FakeCore(Cancel)

    assert names(core.start(True, more=[border.CancelWorkflow("why")]))[0] == "StartTimer"


class Custom(Exception):
    pass


@workflow.defn(failure_exception_types=[Custom])
class Failing:
    @workflow.run
    async def run(self, mode: str) -> None:
        if mode == "application":
            raise exceptions.ApplicationError("a", type="T")
        if mode == "custom":
            raise Custom("c")
        if mode == "group":
            # Only what nobody awaits goes to the exception handler; it fails nothing.
            asyncio.create_task(self.boom())
            await asyncio.sleep(0)
            return
        raise ValueError("task")

    async def boom(self) -> None:
        raise ValueError("forgotten")


def test_what_fails_the_workflow_and_what_its_task() -> None:
    assert "a" in str(error_of(FakeCore(Failing).start("application")[0].failure))
    assert names(FakeCore(Failing).start("custom")) == ["FailWorkflowExecution"]
    assert names(FakeCore(Failing).start("group")) == ["CompleteWorkflowExecution"]

    core = FakeCore(Failing)
    task_failure = core.fails(core.initialize("value"))
    assert task_failure.message == "task"
    assert task_failure.application_failure_info.type == "ValueError"

    listed = FakeCore(Failing, failure_types=[ValueError])
    assert names(listed.start("value")) == ["FailWorkflowExecution"]


def test_arguments_that_do_not_decode_fail_the_task() -> None:
    core = FakeCore(Order)

    assert core.fails(core.initialize(5)).message == "Failed decoding arguments"


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> str:
        child = await workflow.start_child_workflow(
            "Child",
            "arg",
            id="child",
            memo={"m": 1},
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            result_type=str,
        )
        await child.signal("poke", 1)
        other = workflow.get_external_workflow_handle("other", run_id="r")
        await other.signal("poke", 2)
        await other.cancel(reason="enough")
        return f"{child.first_execution_run_id} {await child}"


def test_children_and_external_workflows() -> None:
    core = FakeCore(Parent)
    (start,) = core.start()
    attributes = StartChildWorkflowExecutionCommandAttributes.FromString(start.attributes)
    assert attributes.workflow_id == "child" and attributes.parent_close_policy == 2
    assert attributes.task_queue.name == "queue" and decode_field(attributes.memo, "m") == 1

    (poke,) = core.send(border.ResolveChildWorkflowExecutionStart(1, border.ChildStarted("first")))
    signal_attributes = SignalExternalWorkflowExecutionCommandAttributes.FromString(poke.attributes)
    assert names([poke]) == ["SignalExternalWorkflowExecution"] and poke.seq == 1
    assert signal_attributes.child_workflow_only
    (second,) = core.send(border.ResolveSignalExternalWorkflow(1, None))
    assert names([second]) == ["SignalExternalWorkflowExecution"] and second.seq == 2
    assert names(core.send(border.ResolveSignalExternalWorkflow(2, None))) == ["RequestCancelExternalWorkflowExecution"]
    core.send(border.ResolveRequestCancelExternalWorkflow(1, None))
    result = core.send(border.ResolveChildWorkflowExecution(1, border.Completed(encode("result"))))

    assert decode(result[0].result) == "first result"


def decode_field(memo: Memo, name: str) -> Any:
    return decode(memo.fields[name].SerializeToString())


def test_a_child_whose_id_is_taken() -> None:
    core = FakeCore(Parent)
    core.start()

    commands = core.send(
        border.ResolveChildWorkflowExecutionStart(1, border.ChildStartFailed("child", "Child", 1))
    )

    assert "Workflow execution already started" in str(error_of(commands[0].failure))


def test_cancelling_a_parent_while_its_child_starts() -> None:
    core = FakeCore(Parent)
    core.start()

    commands = core.send(border.CancelWorkflow(""))

    assert_same(
        commands, [border.CancelChildWorkflowExecution(1, ""), border.CancelWorkflowExecution()]
    )


@workflow.defn
class Again:
    @workflow.run
    async def run(self, count: int) -> None:
        try:
            workflow.continue_as_new(count + 1, task_queue="q2", memo={"m": count})
        except Exception:
            pass  # It passes: it is no Exception.


def test_continue_as_new() -> None:
    (command,) = FakeCore(Again).start(4)

    attributes = ContinueAsNewWorkflowExecutionCommandAttributes.FromString(command.attributes)
    assert names([command]) == ["ContinueAsNewWorkflowExecution"]
    assert decode(attributes.input.payloads[0].SerializeToString()) == 5
    assert attributes.task_queue.name == "q2" and attributes.workflow_type.name == "Again"


@workflow.defn
class Patches:
    @workflow.run
    async def run(self) -> list[bool]:
        results = [workflow.patched("p"), workflow.patched("p")]
        workflow.deprecate_patch("old")
        return results


def test_patches() -> None:
    live = FakeCore(Patches).start()
    assert_same(live[:2], [border.SetPatchMarker("p", False), border.SetPatchMarker("old", True)])
    assert decode(live[2].result) == [True, True]

    old = FakeCore(Patches).start(replaying=True)
    assert names(old) == ["CompleteWorkflowExecution"] and decode(old[0].result) == [False, False]

    new = FakeCore(Patches)
    commands = new.start(more=[border.NotifyHasPatch("p")], replaying=True)
    assert names(commands) == ["SetPatchMarker", "CompleteWorkflowExecution"]

    refused = FakeCore(Patches, patch_callback=lambda input: input.patch_id != "p")
    assert decode(refused.start()[-1].result) == [False, False]


KEY = common.SearchAttributeKey.for_int("n")


@workflow.defn
class State:
    @workflow.run
    async def run(self) -> Any:
        generator = workflow.new_random("x")
        numbers = [workflow.random().random(), str(workflow.uuid4()), generator.random()]
        workflow.upsert_memo({"a": 1, "b": None})
        workflow.upsert_search_attributes([KEY.value_set(5)])
        info = workflow.info()
        state = [workflow.memo_value("a"), info.typed_search_attributes[KEY]]
        workflow.upsert_search_attributes([KEY.value_unset()])
        state += [KEY in info.typed_search_attributes, info.search_attributes["n"]]
        state += [info.get_current_build_id(), info.get_current_history_length()]
        workflow.set_current_details("here")
        return [numbers, state]


def test_random_numbers_memo_and_search_attributes() -> None:
    core = FakeCore(State, seed=7)

    commands = core.start()

    numbers, state = decode(commands[-1].result)
    expected = random.Random(7)
    assert numbers[0] == expected.random()
    assert numbers[2] == random.Random("7:x").random()
    assert state == [1, 5, False, [], "build", 3]
    memo = Memo.FromString(commands[0].upserted_memo)
    assert memo.fields["b"].metadata["encoding"] == b"binary/null"
    upserted = SearchAttributes.FromString(commands[1].search_attributes).indexed_fields["n"]
    assert upserted.metadata["type"] == b"Int" and upserted.data == b"5"


@workflow.defn
class HoldsMemo:
    @workflow.run
    async def run(self) -> Any:
        workflow.upsert_memo({"gone": 1, "changed": 1})
        memo = workflow.memo()
        workflow.upsert_memo({"gone": None, "changed": 2, "new": 3})
        return [dict(memo), dict(workflow.memo())]


def test_a_memo_that_code_holds_changes_with_the_workflows(monkeypatch: pytest.MonkeyPatch) -> None:
    core = FakeCore(HoldsMemo)
    converted: list[Any] = []
    plain = type(core.run.payload_converter).to_payloads

    def counting(self: Any, values: Sequence[Any]) -> Any:
        converted.extend(values)
        return plain(self, values)

    monkeypatch.setattr(type(core.run.payload_converter), "to_payloads", counting)

    commands = core.start()

    assert decode(commands[-1].result) == [{"changed": 2, "new": 3}] * 2
    assert converted[:-1] == [1, 1, None, 2, 3]  # Each once.


@workflow.defn
class Late:
    def __init__(self) -> None:
        self.seen: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.sleep(1)
        workflow.set_signal_handler("a", lambda text: self.seen.append(text))
        workflow.set_dynamic_signal_handler(self.any_signal)
        await asyncio.sleep(0)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.seen

    async def any_signal(self, name: str, args: Sequence[common.RawValue]) -> None:
        value = workflow.payload_converter().from_payload(args[0].payload, str)
        self.seen.append(f"{name} {value}")


def test_buffered_signals_are_delivered_when_a_handler_comes() -> None:
    core = FakeCore(Late)
    core.start(more=[signal("b", "1"), signal("a", "2"), signal("a", "3")])

    commands = core.send(border.FireTimer(1))

    assert decode(commands[0].result) == ["2", "3", "b 1"]


@workflow.defn
class Logs:
    @workflow.run
    async def run(self) -> None:
        workflow.logger.info("hello %s", "there", extra={"mine": 1})


def test_the_logger_tells_the_workflow_and_is_silent_in_replay(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    FakeCore(Logs).start(replaying=True)
    assert not caplog.records

    FakeCore(Logs).start()

    (record,) = caplog.records
    assert record.getMessage().startswith("hello there ({'attempt': 1, 'namespace': 'default'")
    assert record.temporal_workflow["workflow_id"] == "workflow" and record.mine == 1
    assert record.funcName == "run"


class Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        assert workflow.info().workflow_id == "workflow"
        super().init(Outbound(outbound))

    async def execute_workflow(self, input: Any) -> Any:
        input.args = [input.args[0] + "!"]
        return await super().execute_workflow(input)


class Outbound(WorkflowOutboundInterceptor):
    def start_activity(self, input: Any) -> Any:
        input.activity = "other"
        return super().start_activity(input)


def test_interceptors_wrap_both_directions() -> None:
    core = FakeCore(Order, interceptors=[Inbound])
    core.start("x")
    assert core.run.object.log == ["run x!"]

    core = FakeCore(Activities, interceptors=[Inbound])
    (command,) = core.start("")
    assert command.activity_type == "other"


@workflow.defn(dynamic=True)
class Dynamic:
    @workflow.run
    async def run(self, args: Sequence[common.RawValue]) -> str:
        return f"{len(args)} {workflow.info().workflow_type}"


def test_dynamic_workflows_take_raw_values() -> None:
    assert decode(FakeCore(Dynamic).start(1, "2")[0].result) == "2 dynamic"


def test_a_reset_changes_the_seed() -> None:
    core = FakeCore(Order)
    core.start("x")
    seen: list[int] = []
    core.run.on_reseed(seen.append)

    core.send(border.UpdateRandomSeed(9))

    assert seen == [9] and core.run.random.random() == random.Random(9).random()


def test_wrong_classes_are_refused_with_all_reasons() -> None:
    with pytest.raises(ValueError, match=r"Missing @workflow.run method"):
        workflow.defn(type("Empty", (), {}))
    with pytest.raises(ValueError, match="Local classes unsupported"):

        class Inner:
            @workflow.run
            async def run(self) -> None: ...

    with pytest.raises(ValueError, match="must be an async function"):
        workflow.run(lambda self: None)  # type: ignore


def test_functions_of_workflow_code_refuse_other_code() -> None:
    with pytest.raises(exceptions.TemporalError, match="Not in workflow event loop"):
        workflow.now()
    assert not workflow.in_workflow()
