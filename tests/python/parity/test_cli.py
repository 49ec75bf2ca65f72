"""The official CLI as a client of our server; on the genuine one, too. The worker is the official Python SDK's."""

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.peer

QUEUE = "cli-tests"
COMMAND_SECONDS = 30


class Cli:
    """Runs `temporal`; a command's JSON output becomes a value."""

    def __init__(self, program: str, address: str) -> None:
        self.program = program
        self.address = address

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self.program, *arguments, "--address", self.address], capture_output=True, text=True,
                              timeout=COMMAND_SECONDS)

    def text(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, f"temporal {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.text(*arguments, "-o", "json"))

    def start(self, workflow_id: str, workflow_type: str = "Messages", *arguments: str) -> Any:
        return self.json("workflow", "start", "--type", workflow_type, "--task-queue", QUEUE,
                         "--workflow-id", workflow_id, *arguments)

    def status(self, workflow_id: str) -> str:
        info = self.json("workflow", "describe", "--workflow-id", workflow_id)["workflowExecutionInfo"]
        return info["status"].removeprefix("WORKFLOW_EXECUTION_STATUS_")

    def query_text(self, workflow_id: str) -> Any:
        reply = self.json("workflow", "query", "--workflow-id", workflow_id, "--type", "text", "--input", '"+"')
        return reply["queryResult"]

    def event_types(self, workflow_id: str) -> list[str]:
        events = self.json("workflow", "show", "--workflow-id", workflow_id)["events"]
        return [event["eventType"].removeprefix("EVENT_TYPE_") for event in events]


@pytest.fixture
def cli(peers, address) -> Iterator[Cli]:
    """The CLI, and a worker that runs while the test does."""
    worker = subprocess.Popen([*peers.python_program(), "--address", address, "--worker", QUEUE], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    try:
        assert worker.stdout.readline() == "ready\n"
        yield Cli(str(peers.temporal), address)
    finally:
        worker.communicate(timeout=COMMAND_SECONDS)


def eventually(read: Callable[[], Any], wanted: Any) -> None:
    """The genuine server's visibility lags. Each reading is a process, so this is no busy loop."""
    for _ in range(50):
        saw = read()
        if saw == wanted:
            return
    assert saw == wanted


def test_start_signal_query_update_and_show(cli):
    started = cli.start("messages")
    assert started["workflowId"] == "messages" and started["type"] == "Messages" and started["runId"]

    cli.text("workflow", "signal", "--workflow-id", "messages", "--name", "add", "--input", '"one"')
    append = ["workflow", "update", "execute", "--workflow-id", "messages", "--name", "append"]
    updated = cli.json(*append, "--input", '"two"')
    assert updated["result"] == 2
    refused = cli.run(*append, "--input", '""')
    assert refused.returncode != 0 and "an empty word" in refused.stderr
    assert cli.query_text("messages") == ["one+two"]
    cli.text("workflow", "signal", "--workflow-id", "messages", "--name", "end")
    result = cli.json("workflow", "result", "--workflow-id", "messages")
    assert result["status"] == "COMPLETED" and result["result"] == ["one", "two"]

    types = cli.event_types("messages")
    assert types[0] == "WORKFLOW_EXECUTION_STARTED" and types[-1] == "WORKFLOW_EXECUTION_COMPLETED"
    assert types.count("WORKFLOW_EXECUTION_SIGNALED") == 2 and "WORKFLOW_EXECUTION_UPDATE_COMPLETED" in types
    assert "WorkflowExecutionCompleted" in cli.text("workflow", "show", "--workflow-id", "messages")


def test_start_of_a_running_id_is_refused(cli):
    first = cli.start("taken")

    assert cli.start("taken")["runId"] == first["runId"]
    second = cli.run("workflow", "start", "--type", "Messages", "--task-queue", QUEUE, "--workflow-id", "taken",
                     "--fail-existing")
    assert second.returncode != 0 and "already" in second.stderr


def test_describe_names_what_runs(cli):
    cli.start("described", "AnsweredLater", "--memo", 'note="kept"')

    def pending() -> list[str]:
        reply = cli.json("workflow", "describe", "--workflow-id", "described")
        return [a["activityType"]["name"] for a in reply.get("pendingActivities", [])]

    eventually(pending, ["answer_later"])
    reply = cli.json("workflow", "describe", "--workflow-id", "described")
    assert reply["workflowExecutionInfo"]["type"]["name"] == "AnsweredLater"
    assert reply["executionConfig"]["taskQueue"]["name"] == QUEUE
    assert "kept" in cli.text("workflow", "describe", "--workflow-id", "described")
    cli.text("activity", "complete", "--workflow-id", "described", "--activity-id", "later", "--result", '"done"')
    assert cli.json("workflow", "result", "--workflow-id", "described")["result"] == "done"


def test_cancel_and_terminate(cli):
    for workflow_id in ("canceled", "terminated"):
        cli.start(workflow_id, "CleansUp")
        eventually(lambda workflow_id=workflow_id: "TIMER_STARTED" in cli.event_types(workflow_id), True)

    cli.text("workflow", "cancel", "--workflow-id", "canceled")
    cli.text("workflow", "terminate", "--workflow-id", "terminated", "--reason", "enough")

    eventually(lambda: cli.status("canceled"), "CANCELED")
    assert cli.status("terminated") == "TERMINATED"
    assert "WORKFLOW_EXECUTION_CANCELED" in cli.event_types("canceled")
    late = cli.run("workflow", "terminate", "--workflow-id", "terminated")
    assert late.returncode != 0 and "already completed" in late.stderr


def test_list_and_count(cli):
    for number in range(3):
        cli.start(f"echo-{number}", "Echo", "--input", '"x"')
        cli.text("workflow", "result", "--workflow-id", f"echo-{number}")
    cli.start("open")
    done = "WorkflowType = 'Echo' AND ExecutionStatus = 'Completed'"

    def listed(query: str) -> list[str]:
        return sorted(run["execution"]["workflowId"] for run in cli.json("workflow", "list", "--query", query))

    eventually(lambda: listed(done), ["echo-0", "echo-1", "echo-2"])
    eventually(lambda: listed("ExecutionStatus = 'Running'"), ["open"])
    assert int(cli.json("workflow", "count", "--query", done)["count"]) == 3
    wrong = cli.run("workflow", "list", "--query", "Nonsense ==")
    assert wrong.returncode != 0 and "query" in wrong.stderr


def test_reset(cli):
    cli.start("reset", "Echo", "--input", '"x"')
    cli.text("workflow", "result", "--workflow-id", "reset")

    reply = cli.json("workflow", "reset", "--workflow-id", "reset", "--event-id", "4", "--reason", "again")

    assert cli.json("workflow", "result", "--workflow-id", "reset", "--run-id", reply["runId"])["result"] == "x"
    assert "WORKFLOW_TASK_FAILED" in cli.event_types("reset")


def test_namespace_search_attributes_and_cluster(cli):
    namespace = cli.json("operator", "namespace", "describe", "default")
    assert namespace["namespaceInfo"]["name"] == "default"
    missing = cli.run("operator", "namespace", "describe", "nowhere")
    assert missing.returncode != 0 and "nowhere" in missing.stderr

    attributes = cli.json("operator", "search-attribute", "list")
    assert attributes["systemAttributes"]["WorkflowType"] == "INDEXED_VALUE_TYPE_KEYWORD"
    cli.text("operator", "search-attribute", "create", "--name", "CliColour", "--type", "Keyword")
    eventually(lambda: cli.json("operator", "search-attribute", "list")["customAttributes"].get("CliColour"),
               "INDEXED_VALUE_TYPE_KEYWORD")
    assert "SERVING" in cli.text("operator", "cluster", "health")
    assert cli.json("operator", "cluster", "system")["serverVersion"]


def test_task_queue_names_its_pollers(cli):
    cli.start("polled", "Echo", "--input", '"x"')
    cli.text("workflow", "result", "--workflow-id", "polled")

    assert "workflow" in cli.text("task-queue", "describe", "--task-queue", QUEUE)
    reply = cli.json("task-queue", "describe", "--task-queue", QUEUE)
    pollers = [p for p in reply.get("pollers", []) if p.get("taskQueueType") == "workflow"]
    assert pollers and all(p["identity"] for p in pollers)
