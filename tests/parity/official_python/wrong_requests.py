"""Changes one field after the other of valid requests, and writes what a server answers to each as JSON.

`wrong_requests.py HOST:PORT FILE [METHOD..]`, of all methods or of those. Each case has workflows of its own; names
and ids are masked, so that the answers of two servers can be compared.
"""

import concurrent.futures
import contextlib
import itertools
import json
import math
import re
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import administration_requests
import grpc
import temporalio.api.operatorservice.v1 as op
import temporalio.api.workflowservice.v1 as wf
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from temporalio.api import command, common, failure, query, taskqueue, update
from temporalio.api.operatorservice.v1.service_pb2_grpc import OperatorServiceStub
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub

NAMESPACE = "default"
LONG = "x" * 1001
ABSENT = "01a1ff3b-7758-7c06-94f3-6cc3bb1daabe"
# These wait for a worker, which never comes; what is given up while a busy genuine server asks its database does harm.
WAITING_SECONDS = 6
WAITING = ("UpdateWorkflowExecution", "PollWorkflowExecutionUpdate", "ExecuteMultiOperation", "QueryWorkflow")
# What of a request is not changed, since it is checked as that of another: the pattern of a field and what is in it.
CHECKED_ELSEWHERE = {
    "CreateSchedule": r"schedule\.spec\.structured_calendar\[0\]\.(?!minute)\w+\[0\]: (end|step)",
    "UpdateSchedule": r"schedule\.|schedule: ",
    **{f"StartBatchOperation#{kind}": r"(?!\w+_operation)"
       for kind in ("terminate", "cancel", "delete", "reset", "options")},
}
COMMANDS = {
    "activity": 1, "cancel_activity": 2, "timer": 3, "complete": 4, "fail": 5, "cancel_timer": 6, "cancel": 7,
    "cancel_external": 8, "marker": 9, "continue_as_new": 10, "child": 11, "signal_external": 12, "upsert": 13,
    "message": 14, "memo": 16,
}  # fmt: skip


def seconds(number: int) -> Duration:
    return Duration(seconds=number)


def payload(data: bytes = b"1") -> common.v1.Payload:
    return common.v1.Payload(metadata={"encoding": b"json/plain"}, data=data)


def payloads() -> common.v1.Payloads:
    return common.v1.Payloads(payloads=[payload()])


def retry_policy() -> common.v1.RetryPolicy:
    return common.v1.RetryPolicy(
        initial_interval=seconds(1), backoff_coefficient=2, maximum_interval=seconds(10), maximum_attempts=3
    )


def polled(call: Callable, poll: Message) -> Any:
    """The task, if one comes: that of a busy server comes late, or to a poll that has given up."""
    try:
        task = call(poll, timeout=30)
    except grpc.RpcError as error:
        if error.code() != grpc.StatusCode.DEADLINE_EXCEEDED:
            raise
        return None
    return task if task.task_token else None


class Server:
    """A server's stubs, and workflows in the states that cases begin with."""

    def __init__(self, address: str) -> None:
        channel = grpc.insecure_channel(address)
        self.workflow = WorkflowServiceStub(channel)
        self.operator = OperatorServiceStub(channel)
        self._run = uuid.uuid4().hex[:6]
        self._numbers = itertools.count()
        self.closed_task = self.closed()[2]
        self.done_activity = self.activity()[1].task_token
        self.workflow.RespondActivityTaskCompleted(
            wf.RespondActivityTaskCompletedRequest(namespace=NAMESPACE, task_token=self.done_activity)
        )
        self.waiting = self.activity()[0]

    def name(self, kind: str = "p") -> str:
        return f"{kind}-{self._run}-{next(self._numbers)}"

    def start(self) -> tuple[common.v1.WorkflowExecution, str]:
        execution, queue = common.v1.WorkflowExecution(workflow_id=self.name()), self.name("q")
        self.workflow.StartWorkflowExecution(
            wf.StartWorkflowExecutionRequest(
                namespace=NAMESPACE,
                workflow_id=execution.workflow_id,
                workflow_type=common.v1.WorkflowType(name="T"),
                task_queue=taskqueue.v1.TaskQueue(name=queue),
                request_id=self.name("r"),
            )
        )
        return execution, queue

    def task(self, queue: str) -> bytes:
        poll = wf.PollWorkflowTaskQueueRequest(
            namespace=NAMESPACE, task_queue=taskqueue.v1.TaskQueue(name=queue), identity="w"
        )
        while not (task := polled(self.workflow.PollWorkflowTaskQueue, poll)):
            pass
        return task.task_token

    def respond(self, token: bytes, *commands: command.v1.Command) -> None:
        self.workflow.RespondWorkflowTaskCompleted(
            wf.RespondWorkflowTaskCompletedRequest(namespace=NAMESPACE, task_token=token, commands=commands)
        )

    def closed(self) -> tuple[common.v1.WorkflowExecution, str, bytes]:
        execution, queue = self.start()
        token = self.task(queue)
        self.respond(token, one_command(self, "complete"))
        described = self.workflow.DescribeWorkflowExecution(
            wf.DescribeWorkflowExecutionRequest(namespace=NAMESPACE, execution=execution)
        )
        execution.run_id = described.workflow_execution_info.execution.run_id
        return execution, queue, token

    def terminated(self) -> common.v1.WorkflowExecution:
        execution = self.start()[0]
        self.workflow.TerminateWorkflowExecution(
            wf.TerminateWorkflowExecutionRequest(namespace=NAMESPACE, workflow_execution=execution)
        )
        return execution

    def end(self, workflow_id: str) -> None:
        with contextlib.suppress(grpc.RpcError):  # It may have ended.
            self.workflow.TerminateWorkflowExecution(
                wf.TerminateWorkflowExecutionRequest(
                    namespace=NAMESPACE, workflow_execution={"workflow_id": workflow_id}
                )
            )

    def activity(self) -> tuple[common.v1.WorkflowExecution, wf.PollActivityTaskQueueResponse]:
        while True:
            execution, queue = self.start()
            self.respond(self.task(queue), one_command(self, "activity", queue))
            poll = wf.PollActivityTaskQueueRequest(
                namespace=NAMESPACE, task_queue=taskqueue.v1.TaskQueue(name=queue), identity="w"
            )
            if task := polled(self.workflow.PollActivityTaskQueue, poll):
                return execution, task


def one_command(server: Server, kind: str, queue: str = "q") -> command.v1.Command:
    c = command.v1
    task_queue = taskqueue.v1.TaskQueue(name=queue)
    header = common.v1.Header(fields={"h": payload()})
    memo = common.v1.Memo(fields={"k": payload()})
    attributes = common.v1.SearchAttributes(indexed_fields={"BatcherUser": payload(b'"x"')})
    workflow_type = common.v1.WorkflowType(name="T")
    made: dict[str, Callable[[], dict]] = {
        "activity": lambda: {"schedule_activity_task_command_attributes": c.ScheduleActivityTaskCommandAttributes(
            activity_id="a", activity_type=common.v1.ActivityType(name="A"), task_queue=task_queue, header=header,
            schedule_to_close_timeout=seconds(600), schedule_to_start_timeout=seconds(600), input=payloads(),
            start_to_close_timeout=seconds(600), heartbeat_timeout=seconds(600), retry_policy=retry_policy())},
        "cancel_activity": lambda: {"request_cancel_activity_task_command_attributes":
            c.RequestCancelActivityTaskCommandAttributes(scheduled_event_id=5)},
        "timer": lambda: {"start_timer_command_attributes": c.StartTimerCommandAttributes(
            timer_id="t", start_to_fire_timeout=seconds(60))},
        "complete": lambda: {"complete_workflow_execution_command_attributes":
            c.CompleteWorkflowExecutionCommandAttributes(result=payloads())},
        "fail": lambda: {"fail_workflow_execution_command_attributes":
            c.FailWorkflowExecutionCommandAttributes(failure=failure.v1.Failure(message="m"))},
        "cancel_timer": lambda: {"cancel_timer_command_attributes": c.CancelTimerCommandAttributes(timer_id="t")},
        "cancel": lambda: {"cancel_workflow_execution_command_attributes":
            c.CancelWorkflowExecutionCommandAttributes(details=payloads())},
        "cancel_external": lambda: {"request_cancel_external_workflow_execution_command_attributes":
            c.RequestCancelExternalWorkflowExecutionCommandAttributes(
                namespace=NAMESPACE, workflow_id=server.waiting.workflow_id, control="c", reason="r")},
        "marker": lambda: {"record_marker_command_attributes": c.RecordMarkerCommandAttributes(
            marker_name="m", details={"k": payloads()})},
        "continue_as_new": lambda: {"continue_as_new_workflow_execution_command_attributes":
            c.ContinueAsNewWorkflowExecutionCommandAttributes(
                workflow_type=workflow_type, task_queue=task_queue, input=payloads(),
                workflow_run_timeout=seconds(60), workflow_task_timeout=seconds(10), memo=memo, initiator=1,
                backoff_start_interval=seconds(1), retry_policy=retry_policy())},
        "child": lambda: {"start_child_workflow_execution_command_attributes":
            c.StartChildWorkflowExecutionCommandAttributes(
                namespace=NAMESPACE, workflow_id=server.name(), workflow_type=workflow_type, task_queue=task_queue,
                input=payloads(), workflow_execution_timeout=seconds(60), workflow_run_timeout=seconds(60),
                workflow_task_timeout=seconds(10), parent_close_policy=1, workflow_id_reuse_policy=1,
                retry_policy=retry_policy(), cron_schedule="* * * * *", memo=memo, search_attributes=attributes)},
        "signal_external": lambda: {"signal_external_workflow_execution_command_attributes":
            c.SignalExternalWorkflowExecutionCommandAttributes(
                namespace=NAMESPACE, execution=server.waiting, signal_name="s", input=payloads(), control="c")},
        "upsert": lambda: {"upsert_workflow_search_attributes_command_attributes":
            c.UpsertWorkflowSearchAttributesCommandAttributes(search_attributes=attributes)},
        "message": lambda: {"protocol_message_command_attributes":
            c.ProtocolMessageCommandAttributes(message_id="m")},
        "memo": lambda: {"modify_workflow_properties_command_attributes":
            c.ModifyWorkflowPropertiesCommandAttributes(upserted_memo=memo)},
    }  # fmt: skip
    return c.Command(command_type=COMMANDS[kind], **made[kind]())


def reports_by_id(server: Server, failed: dict) -> dict[str, Callable[[], Message]]:
    def by_id(kind: type[Message], **more) -> Message:
        execution, task = server.activity()
        return kind(
            namespace=NAMESPACE, workflow_id=execution.workflow_id, run_id=task.workflow_execution.run_id,
            activity_id="a",
            identity="w", **more,
        )  # fmt: skip

    return {
        "RespondActivityTaskCompletedById": lambda: by_id(
            wf.RespondActivityTaskCompletedByIdRequest, result=payloads()),
        "RespondActivityTaskFailedById": lambda: by_id(wf.RespondActivityTaskFailedByIdRequest, **failed),
        "RespondActivityTaskCanceledById": lambda: by_id(wf.RespondActivityTaskCanceledByIdRequest),
        "RecordActivityTaskHeartbeatById": lambda: by_id(wf.RecordActivityTaskHeartbeatByIdRequest),
    }  # fmt: skip


def requests(server: Server) -> dict[str, Callable[[], Message]]:
    """Valid ones, by name; what follows a # tells those of one method apart."""
    ns = {"namespace": NAMESPACE}
    workflow_type = common.v1.WorkflowType(name="T")
    queue = taskqueue.v1.TaskQueue(name="q", kind=1)

    def of_start(kind: type[Message], **more) -> Message:
        return kind(
            **ns, workflow_id=server.name(), workflow_type=workflow_type, task_queue=queue, input=payloads(),
            workflow_execution_timeout=seconds(60), workflow_run_timeout=seconds(50), identity="me",
            workflow_task_timeout=seconds(10), request_id=server.name("r"), workflow_id_reuse_policy=1,
            retry_policy=retry_policy(), memo=common.v1.Memo(fields={"k": payload()}), **more,
        )  # fmt: skip

    def of_update(execution: common.v1.WorkflowExecution) -> wf.UpdateWorkflowExecutionRequest:
        return wf.UpdateWorkflowExecutionRequest(
            **ns, workflow_execution=execution, wait_policy=update.v1.WaitPolicy(lifecycle_stage=3),
            request=update.v1.Request(meta=update.v1.Meta(update_id=server.name("u"), identity="me"),
                                      input=update.v1.Input(name="u", args=payloads())),
        )  # fmt: skip

    def of_both() -> wf.ExecuteMultiOperationRequest:
        start = of_start(wf.StartWorkflowExecutionRequest, workflow_id_conflict_policy=2)
        with_it = of_update(common.v1.WorkflowExecution(workflow_id=start.workflow_id))
        kind = wf.ExecuteMultiOperationRequest.Operation
        return wf.ExecuteMultiOperationRequest(
            **ns, operations=[kind(start_workflow=start), kind(update_workflow=with_it)]
        )

    def of_commands(kind: str) -> wf.RespondWorkflowTaskCompletedRequest:
        token = server.task(server.start()[1])
        return wf.RespondWorkflowTaskCompletedRequest(
            **ns, task_token=token, identity="w", commands=[one_command(server, kind)]
        )

    failed = {"failure": failure.v1.Failure(message="m", application_failure_info={"type": "t"})}
    waiting = {"execution": server.waiting}
    all_requests: dict[str, Callable[[], Message]] = {
        "StartWorkflowExecution": lambda: of_start(
            wf.StartWorkflowExecutionRequest, workflow_start_delay=seconds(1),
            priority=common.v1.Priority(priority_key=1, fairness_key="f", fairness_weight=1)),
        "SignalWithStartWorkflowExecution": lambda: of_start(
            wf.SignalWithStartWorkflowExecutionRequest, signal_name="s", signal_input=payloads()),
        "SignalWorkflowExecution": lambda: wf.SignalWorkflowExecutionRequest(
            **ns, workflow_execution=server.waiting, signal_name="s", input=payloads(), request_id=server.name("r")),
        "RequestCancelWorkflowExecution": lambda: wf.RequestCancelWorkflowExecutionRequest(
            **ns, workflow_execution=server.start()[0], request_id=server.name("r"), reason="x"),
        "TerminateWorkflowExecution": lambda: wf.TerminateWorkflowExecutionRequest(
            **ns, workflow_execution=server.start()[0], reason="x", details=payloads()),
        "DeleteWorkflowExecution": lambda: wf.DeleteWorkflowExecutionRequest(
            **ns, workflow_execution=server.start()[0]),
        "DescribeWorkflowExecution": lambda: wf.DescribeWorkflowExecutionRequest(**ns, **waiting),
        "GetWorkflowExecutionHistory": lambda: wf.GetWorkflowExecutionHistoryRequest(
            **ns, **waiting, maximum_page_size=10),
        "GetWorkflowExecutionHistoryReverse": lambda: wf.GetWorkflowExecutionHistoryReverseRequest(
            **ns, **waiting, maximum_page_size=10),
        "QueryWorkflow": lambda: wf.QueryWorkflowRequest(
            **ns, execution=server.terminated(), query=query.v1.WorkflowQuery(query_type="q", query_args=payloads())),
        "UpdateWorkflowExecution": lambda: of_update(server.start()[0]),
        "PollWorkflowExecutionUpdate": lambda: wf.PollWorkflowExecutionUpdateRequest(
            **ns, update_ref=update.v1.UpdateRef(workflow_execution=server.waiting, update_id="none"),
            wait_policy=update.v1.WaitPolicy(lifecycle_stage=3)),
        "ResetWorkflowExecution": lambda: wf.ResetWorkflowExecutionRequest(
            **ns, workflow_execution=server.closed()[0], workflow_task_finish_event_id=4,
            request_id=server.name("r"), reset_reapply_type=1),
        "DescribeNamespace": lambda: wf.DescribeNamespaceRequest(**ns),
        "RegisterNamespace": lambda: wf.RegisterNamespaceRequest(
            namespace=server.name("ns"), workflow_execution_retention_period=seconds(86400)),
        "RespondWorkflowTaskFailed": lambda: wf.RespondWorkflowTaskFailedRequest(
            **ns, task_token=server.task(server.start()[1]), cause=1, **failed),
        "RespondActivityTaskCompleted": lambda: wf.RespondActivityTaskCompletedRequest(
            **ns, task_token=server.activity()[1].task_token, result=payloads()),
        "RespondActivityTaskFailed": lambda: wf.RespondActivityTaskFailedRequest(
            **ns, task_token=server.activity()[1].task_token, **failed),
        "RespondActivityTaskCanceled": lambda: wf.RespondActivityTaskCanceledRequest(
            **ns, task_token=server.activity()[1].task_token),
        "RecordActivityTaskHeartbeat": lambda: wf.RecordActivityTaskHeartbeatRequest(
            **ns, task_token=server.activity()[1].task_token),
        "RespondQueryTaskCompleted": lambda: wf.RespondQueryTaskCompletedRequest(
            **ns, task_token=b"garbage", completed_type=1),
        "ResetStickyTaskQueue": lambda: wf.ResetStickyTaskQueueRequest(**ns, **waiting),
        "PauseActivity": lambda: wf.PauseActivityRequest(**ns, **waiting, id="a", reason="r"),
        "UnpauseActivity": lambda: wf.UnpauseActivityRequest(**ns, **waiting, id="a"),
        "UpdateActivityOptions": lambda: wf.UpdateActivityOptionsRequest(
            **ns, **waiting, id="a", activity_options={"start_to_close_timeout": seconds(900)},
            update_mask={"paths": ["start_to_close_timeout"]}),
        "AddSearchAttributes": lambda: op.AddSearchAttributesRequest(**ns, search_attributes={"Added": 2}),
        "RemoveSearchAttributes": lambda: op.RemoveSearchAttributesRequest(**ns, search_attributes=["None"]),
        "ListSearchAttributes": lambda: op.ListSearchAttributesRequest(**ns),
        "ExecuteMultiOperation": of_both,
    }  # fmt: skip
    all_requests.update(reports_by_id(server, failed))
    for of in ("schedules", "batches", "deployments"):
        all_requests.update(getattr(administration_requests, f"of_{of}")(server, NAMESPACE))
    for kind in COMMANDS:
        all_requests[f"RespondWorkflowTaskCompleted#{kind}"] = lambda kind=kind: of_commands(kind)
    return all_requests


Change = Callable[[Message], None]


def changes_of(server: Server, field: FieldDescriptor) -> Iterator[tuple[str, Change]]:
    """Wrong, odd and extreme values for a field."""

    def to(value) -> Change:
        return lambda message: setattr(message, field.name, value)

    def length(**parts) -> Change:
        return lambda message: getattr(message, field.name).CopyFrom(Duration(**parts))

    if field.message_type and field.message_type.full_name == "google.protobuf.Duration":
        yield "negative", length(seconds=-1)
        yield "two signs", length(seconds=1, nanos=-1)
        yield "zero", length()
    elif field.type == FieldDescriptor.TYPE_STRING:
        yield "long", to(LONG)
        if field.name.endswith("run_id"):
            yield "no uuid", to("not-a-uuid")
            yield "absent", to(ABSENT)
        elif field.name == "workflow_id":
            yield "closed", lambda message: setattr(message, field.name, server.closed()[0].workflow_id)
            yield "terminated", lambda message: setattr(message, field.name, server.terminated().workflow_id)
            yield "absent", lambda message: setattr(message, field.name, server.name("z"))
        elif field.name == "namespace":
            yield "absent", lambda message: setattr(message, field.name, server.name("z"))
    elif field.type == FieldDescriptor.TYPE_BYTES and field.name == "task_token":
        yield "garbage", to(b"garbage")
        yield "of a closed task", to(server.closed_task)
        yield "of a done activity", to(server.done_activity)
    elif field.type == FieldDescriptor.TYPE_ENUM:
        for number in (0, 2, 3):
            yield str(number), to(number)
    elif field.type in (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64):
        for number in (-1, 0, 6, 100_000):
            yield str(number), to(number)
    elif field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        for number in (-1, 0.5, 101, math.nan, math.inf):
            yield str(number), to(number)


def walk(server: Server, message: Message, path: tuple = ()) -> Iterator[tuple[tuple, str, Change]]:
    """Every change of every field that is set, and of scalar ones that are not."""
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        clear = ("clear", lambda m, name=field.name: m.ClearField(name))
        is_map = field.message_type and field.message_type.GetOptions().map_entry
        if field.is_repeated:
            if len(value):
                yield path, f"{field.name} {clear[0]}", clear[1]
            if field.message_type and not is_map:
                for i, each in enumerate(value):
                    yield from walk(server, each, (*path, (field.name, i)))
            continue
        is_set = message.HasField(field.name) if field.has_presence else bool(value)
        if is_set:
            yield path, f"{field.name} {clear[0]}", clear[1]
        if field.message_type and field.message_type.full_name != "google.protobuf.Duration":
            if is_set:
                yield from walk(server, value, (*path, (field.name, None)))
            continue
        for what, change in changes_of(server, field):
            yield path, f"{field.name} {what}", change


def at(message: Message, path: tuple) -> Message:
    for name, index in path:
        message = getattr(message, name) if index is None else getattr(message, name)[index]
    return message


def masked(text: str) -> str:
    text = text.replace("\xa0", " ")  # Go's protobuf has the one or the other by chance.
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID", text)
    text = re.sub(r"\b(p|q|r|u|z|d|ns)-[0-9a-f]{6}-\d+", "NAME", text)
    return re.sub(r"\([0-9a-f]{8}\)", "(HASH)", text).replace(LONG, "LONG")


def is_of_load(code: str, text: str) -> bool:
    """What a busy genuine server answers, which says nothing of the request."""
    return code in ("DEADLINE_EXCEEDED", "UNAVAILABLE", "CANCELLED") or text == f"Namespace {NAMESPACE} is not found."


def prepared(make: Callable[[], Message], path: tuple, change: Change) -> Message:
    for retries in reversed(range(10)):
        try:
            request = make()
            change(at(request, path))
            return request
        except grpc.RpcError:
            if retries == 0:
                raise
            time.sleep(1)  # What prepares a case is valid; the server was too busy for it.
    raise AssertionError("not reached")


def answer(server: Server, method: str, request: Message) -> list[str]:
    stub = server.operator if hasattr(server.operator, method) else server.workflow
    while True:
        try:
            getattr(stub, method)(request, timeout=WAITING_SECONDS if method in WAITING else 60)
        except grpc.RpcError as error:
            if re.search("rate limit exceeded|concurrent batch operations|Workflow is busy", error.details() or ""):
                time.sleep(1)  # The genuine server's, not the case's.
                continue
            return [error.code().name, masked(error.details() or "")]
        if method == "StartBatchOperation":
            server.end(request.job_id)  # One that cannot do its work would hold up all that follow.
        return ["OK", ""]


def main() -> None:
    server = Server(sys.argv[1])
    wanted = sys.argv[3:]
    made = {name: make for name, make in requests(server).items() if not wanted or name.split("#")[0] in wanted}
    cases: list[tuple[str, str, tuple, Change]] = []
    for name, make in made.items():
        only_commands = "#" in name and "RespondWorkflowTaskCompleted" in name
        for path, what, change in walk(server, make()):
            if only_commands and not path:
                continue
            where = ".".join(part if index is None else f"{part}[{index}]" for part, index in path)
            case = f"{where}: {what}" if where else what
            elsewhere = CHECKED_ELSEWHERE.get(name)
            if elsewhere is None or not re.match(elsewhere, case):
                cases.append((name, case, path, change))

    def run(case: tuple[str, str, tuple, Change]) -> tuple[str, list[str]]:
        name, what, path, change = case
        method = name.split("#")[0]
        for _ in range(3):
            answered = answer(server, method, prepared(made[name], path, change))
            if method in WAITING or not is_of_load(*answered):
                break
        return f"{name}: {what}", answered

    with concurrent.futures.ThreadPoolExecutor(8) as pool, concurrent.futures.ThreadPoolExecutor(16) as patient:
        waiting = patient.map(run, [case for case in cases if case[0].split("#")[0] in WAITING])
        answers = dict(pool.map(run, [case for case in cases if case[0].split("#")[0] not in WAITING]))
        answers.update(waiting)
    with open(sys.argv[2], "w") as out:
        json.dump(answers, out, indent=1, sort_keys=True)


if __name__ == "__main__":
    main()
