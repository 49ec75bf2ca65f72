"""The pages of the Web UI, and what each must show of that which fill.py made."""

import dataclasses
import string
from collections.abc import Awaitable, Callable

from playwright.async_api import Page as Tab

NAMESPACE = "/namespaces/default"


@dataclasses.dataclass
class Page:
    name: str
    where: str  # $ID stands for the run of the workflow "ui-ID", with _ for -.
    shows: list[str] = dataclasses.field(default_factory=list)
    act: Callable[[Tab], Awaitable[None]] | None = None
    asks: str = ""  # A part of the path of a call that it makes by and by.
    fresh: bool = False  # It does not notice that it is another of its kind than the page before.

    def path(self, runs: dict[str, str]) -> str:
        names = {workflow_id.removeprefix("ui-").replace("-", "_"): f"{workflow_id}/{run}"
                 for workflow_id, run in runs.items()}
        return string.Template(self.where).substitute(names)


def workflow_pages() -> list[Page]:
    def page(name: str, workflow: str, tab: str, *shows: str, asks: str = "") -> Page:
        return Page(name, f"{NAMESPACE}/workflows/${workflow}{tab}", list(shows), asks=asks)

    states = {"completed": "Completed", "failed": "it cannot be", "cancelled": "Canceled", "terminated": "enough of it",
              "timed_out": "Timed Out", "cron": "Running", "delayed": "Running", "unpolled": "Running",
              "stuck": "a bug in the workflow", "paused": "ui-paused", "retried": "Failed", "reset": "Completed",
              "pinned": "Running", "continued": "Completed"}
    return [
        *(page(f"workflow-{state}", state, "/history", shown,
               asks="__temporal_workflow_metadata" if state in ("cron", "delayed", "stuck") else "")
          for state, shown in states.items()),
        page("running-history", "running", "/history", "ui-running", "what it is"),
        page("everything-history", "everything", "/history", "ui-everything", "all done"),
        page("everything-compact", "everything", "/history/compact", "a short sleep"),
        page("everything-feed", "everything", "/history/feed", "all done"),
        page("everything-json", "everything", "/history/json", "ui-everything"),
        page("everything-timeline", "everything", "/timeline", "second_time"),
        page("everything-event", "everything", "/history/events/1", "ui-everything"),
        page("activities-history", "activities", "/history", "flaky"),
        page("activities-pending", "activities", "/pending-activities", "flaky", "no flaky yet"),
        page("activity-paused", "activity_paused", "/pending-activities", "flaky", "Paused"),
        page("parent-relationships", "parent", "/relationships", "ui-child"),
        page("child-relationships", "child", "/relationships", "ui-parent"),
        page("everything-relationships", "everything", "/relationships", "ui-everything-child"),
        page("running-workers", "running", "/workers", "ui-worker"),
        page("running-query", "running", "/query", "Query Type"),
        page("running-call-stack", "running", "/call-stack", "Stack for"),
        page("running-metadata", "running", "/metadata", "UiColour", "kept"),
        page("running-user-metadata", "running", "/user-metadata", "Current Details"),
        page("running-memo", "running", "/memo", "kept"),
        page("running-search-attributes", "running", "/search-attributes", "UiColour"),
        page("running-nexus-links", "running", "/nexus-links"),
        Page("running-without-run", f"{NAMESPACE}/workflows/ui-running", ["ui-running"]),
        Page("workflow-missing", f"{NAMESPACE}/workflows/nobody/11111111-2222-3333-4444-555555555555/history"),
    ]


def query(text: str) -> str:
    return f"{NAMESPACE}/workflows?query={text.replace(' ', '%20').replace('=', '%3D')}"


PAGES = [
    Page("home", "/", ["ui-completed"]),
    Page("workflows", f"{NAMESPACE}/workflows", ["ui-completed", "ui-running"]),
    *(Page(f"workflows-{status.lower()}", query(f"`ExecutionStatus`='{status}'"), [shows]) for status, shows in [
        ("Running", "ui-running"), ("Completed", "ui-completed"), ("Failed", "ui-failed"),
        ("Canceled", "ui-cancelled"), ("Terminated", "ui-terminated"), ("ContinuedAsNew", "ui-continued"),
        ("TimedOut", "ui-timed-out"), ("Paused", "ui-paused")]),
    Page("workflows-by-attribute", query("UiColour='red'"), ["ui-everything"]),
    Page("workflows-by-wrong-filter", query("Nonsense =")),
    Page("workflows-by-type", query("WorkflowType='Echo' AND WorkflowId STARTS_WITH 'ui-'"), ["ui-reset"]),
    Page("workflows-with-problems", query("TemporalReportedProblems IS NOT NULL")),
    Page("workflow-start", f"{NAMESPACE}/workflows/start-workflow", ["Workflow Type"]),
    *workflow_pages(),
    Page("schedules", f"{NAMESPACE}/schedules", ["ui-schedule", "ui-schedule-paused", "ui-schedule-week"]),
    *(Page(name, f"{NAMESPACE}/schedules/{name}", [name, "Echo"])
      for name in ("ui-schedule", "ui-schedule-paused", "ui-schedule-week")),
    Page("schedule-edit", f"{NAMESPACE}/schedules/ui-schedule-week/edit", ["ui-schedule-week"]),
    Page("schedule-create", f"{NAMESPACE}/schedules/create", ["Create Schedule"]),
    Page("schedule-missing", f"{NAMESPACE}/schedules/nothing"),
    Page("batches", f"{NAMESPACE}/batch-operations", ["ui-terminates", "ui-signals"]),
    Page("batch", f"{NAMESPACE}/batch-operations/ui-terminates", ["why ui-terminates"]),
    Page("batch-signals", f"{NAMESPACE}/batch-operations/ui-signals", ["why ui-signals"]),
    Page("batch-missing", f"{NAMESPACE}/batch-operations/nothing"),
    Page("workers", f"{NAMESPACE}/workers", ["ui-queue"]),
    Page("deployments", f"{NAMESPACE}/workers/deployments", ["ui-deployment"]),
    Page("deployment", f"{NAMESPACE}/workers/deployments/ui-deployment", ["ui-deployment", "2.0"]),
    Page("old-deployments", f"{NAMESPACE}/worker-deployments", ["ui-deployment"]),
    Page("old-deployment", f"{NAMESPACE}/worker-deployments/ui-deployment", ["ui-deployment"]),
    Page("deployment-create", f"{NAMESPACE}/workers/deployments/create", ["Compute Provider"]),
    Page("deployment-version-edit", f"{NAMESPACE}/workers/deployments/ui-deployment/versions/2.0/edit"),
    Page("deployment-missing", f"{NAMESPACE}/workers/deployments/nothing"),
    Page("task-queues", f"{NAMESPACE}/task-queues"),
    Page("task-queue", f"{NAMESPACE}/task-queues/ui-queue", ["ui-worker"], fresh=True),
    Page("task-queue-idle", f"{NAMESPACE}/task-queues/ui-idle", ["No Workers Sending"], fresh=True),
    Page("task-queue-versioned", f"{NAMESPACE}/task-queues/ui-versioned", ["ui-deployment"], fresh=True),
    Page("archival", f"{NAMESPACE}/archival"),
    Page("activities", f"{NAMESPACE}/activities"),
    Page("nexus-operations", f"{NAMESPACE}/nexus-operations"),
    Page("namespaces", "/namespaces", ["default", "ui-other"]),
    Page("namespace", "/namespaces/default", ["default"]),
    Page("namespace-other", "/namespaces/ui-other/workflows", ["No Workflows running"]),
    Page("namespace-missing", "/namespaces/nowhere/workflows"),
    Page("nexus", "/nexus"),
    Page("nexus-create", "/nexus/create"),
    Page("nexus-missing", "/nexus/nothing"),
    Page("import", "/import", ["Import Event History"]),
    Page("common-errors", "/common-errors"),
]
