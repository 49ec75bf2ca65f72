"""What one does with the buttons of the Web UI, to that which fill.py made for it."""

from pages import NAMESPACE, Page, query
from playwright.async_api import Locator, Page as Tab


def dialog(tab: Tab) -> Locator:
    return tab.get_by_role("dialog").filter(visible=True)


async def confirm(tab: Tab, button: str) -> None:
    await dialog(tab).get_by_role("button", name=button, exact=True).click()


async def choose(tab: Tab, item: str, menu: str = "More Actions") -> None:
    await tab.get_by_role("button", name=menu).click()
    await tab.get_by_role("menuitem", name=item).click()


async def starts(tab: Tab) -> None:
    await tab.get_by_label("Workflow ID").fill("ui-started-here")
    await tab.get_by_label("Task Queue").fill("ui-queue")
    await tab.get_by_label("Workflow Type").fill("Echo")
    await tab.get_by_role("main").get_by_role("button", name="Start Workflow").click()


async def write(tab: Tab, json: str) -> None:
    await dialog(tab).locator(".cm-content").fill(json)


async def select(tab: Tab, option: str) -> None:
    await dialog(tab).locator("button[aria-haspopup=true]").first.click()
    await tab.get_by_role("option", name=option).filter(visible=True).first.click()


async def signals(tab: Tab) -> None:
    await choose(tab, "Send a Signal")
    await select(tab, "add")
    await write(tab, '"from the page"')
    await confirm(tab, "Submit")


async def updates(tab: Tab) -> None:
    await choose(tab, "Send an Update")
    await select(tab, "append")
    await write(tab, '"from the page"')
    await confirm(tab, "Submit")


async def cancels(tab: Tab) -> None:
    await choose(tab, "Request Cancellation")
    await confirm(tab, "Confirm")


async def terminates(tab: Tab) -> None:
    await choose(tab, "Terminate")
    await confirm(tab, "Terminate")


async def resets(tab: Tab) -> None:
    await tab.get_by_role("button", name="Reset", exact=True).click()
    await select(tab, "")
    await confirm(tab, "Confirm")


async def pauses(tab: Tab) -> None:
    await tab.get_by_role("button", name="Pause Workflow").click()
    await confirm(tab, "Pause Workflow")


async def unpauses(tab: Tab) -> None:
    await tab.get_by_role("button", name="Unpause Workflow").click()
    await confirm(tab, "Unpause Workflow")


async def ends_many(tab: Tab) -> None:
    await tab.get_by_role("row").filter(has_text="ui-to-end-1").wait_for()
    await tab.get_by_label("Select all Workflows").check(force=True)
    await tab.get_by_role("button", name="Terminate", exact=True).click()
    await confirm(tab, "Terminate")


async def pauses_activity(tab: Tab) -> None:
    await tab.get_by_role("button", name="Pause", exact=True).first.click()
    await confirm(tab, "Pause")


async def resets_activity(tab: Tab) -> None:
    await tab.get_by_role("button", name="Reset", exact=True).last.click()
    await confirm(tab, "Reset")


async def pauses_schedule(tab: Tab) -> None:
    await tab.get_by_role("button", name="Pause", exact=True).click()
    await dialog(tab).get_by_role("textbox").fill("for now")
    await confirm(tab, "Pause")


async def unpauses_schedule(tab: Tab) -> None:
    await tab.get_by_role("button", name="Unpause", exact=True).click()
    await dialog(tab).get_by_role("textbox").fill("again")
    await confirm(tab, "Unpause")


async def triggers_schedule(tab: Tab) -> None:
    await choose(tab, "Trigger", "Schedule Actions")
    await confirm(tab, "Trigger")


async def deletes_schedule(tab: Tab) -> None:
    await choose(tab, "Delete", "Schedule Actions")
    await confirm(tab, "Delete")


SCHEDULE = f"{NAMESPACE}/schedules/ui-schedule-to-change"
# One line's actions are done one after the other, beside the others'.
ACTIONS = [
    [Page("start", f"{NAMESPACE}/workflows/start-workflow", ["Workflow started successfully"], starts)],
    [Page("signal", f"{NAMESPACE}/workflows/$to_signal/history", ["Workflow Execution Signaled"], signals),
     Page("update", f"{NAMESPACE}/workflows/$to_update/history", ["Update Completed"], updates),
     Page("cancel", f"{NAMESPACE}/workflows/$to_cancel/history", ["Workflow Execution Canceled"], cancels),
     Page("terminate", f"{NAMESPACE}/workflows/$to_terminate/history", ["Workflow Execution Terminated"], terminates),
     Page("reset", f"{NAMESPACE}/workflows/$to_reset/history", ["This Workflow has been reset"], resets)],
    [Page("pause", f"{NAMESPACE}/workflows/$to_pause/history", ["This Workflow is Paused"], pauses),
     Page("unpause", f"{NAMESPACE}/workflows/$to_pause/history", ["Workflow Execution Unpaused"], unpauses)],
    [Page("pause-activity", f"{NAMESPACE}/workflows/$to_change/pending-activities", ["Paused By"], pauses_activity),
     Page("reset-activity", f"{NAMESPACE}/workflows/$to_change/pending-activities", ["has been reset"],
          resets_activity)],
    [Page("pause-schedule", SCHEDULE, ["for now"], pauses_schedule),
     Page("unpause-schedule", SCHEDULE, ["again"], unpauses_schedule),
     Page("trigger-schedule", SCHEDULE, ["ui-changed-"], triggers_schedule),
     Page("delete-schedule", SCHEDULE, [], deletes_schedule)],
    [Page("batch-terminate", query("WorkflowId STARTS_WITH 'ui-to-end'"), [], ends_many)],
]
