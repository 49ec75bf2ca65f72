"""What a server wrote of the runs that a program of this folder's kind has made, as JSON on standard output:
scenario -> the distinct lines of its events, masked, in order of their text. Two servers did the same where they wrote
the same.

    histories.py --address HOST:PORT
"""

import argparse
import asyncio
import base64
import json
import os
import re
from typing import Any

from google.protobuf.json_format import MessageToDict
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest, ListWorkflowExecutionsRequest
from temporalio.client import Client

UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
# Of each moment, or of no meaning to who reads a history.
LEFT_OUT = {"eventId", "eventTime", "taskId", "version", "historySizeBytes", "identity", "requestId", "expiration",
            "sdkMetadata", "meteringMetadata", "workerVersion", "binaryChecksum", "suggestContinueAsNew",
            "suggestContinueAsNewReasons", "stackTrace", "encodedAttributes", "attachedRequestId"}
# When they come is chance; what they hold is the conformance cases' business.
PASSED_OVER = re.compile("EVENT_TYPE_WORKFLOW_TASK_")
PARALLEL = 16
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+Z")


def text_of(data: str) -> str:
    """A payload's bytes; where they are no text, in base64 as they came."""
    try:
        return base64.b64decode(data).decode()
    except ValueError:
        return data


def masked(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {}
        for key, each in value.items():
            if key in LEFT_OUT or key.endswith(("EventId", "Time")):
                continue
            if re.search("Backoff|ackoffStart", key):
                each = "SOME"  # Counted from the moment, or rounded otherwise.
            elif key in ("timerId", "activityId") and each.isdigit():
                each = "NUMBER"  # The Go SDK counts events, workflow tasks among them.
            elif key == "data" and isinstance(each, str):
                each = text_of(each)
            elif key == "metadata":
                each = {name: text_of(value) for name, value in each.items()}
            kept[key] = masked(each)
        return kept
    if isinstance(value, list):
        return [masked(each) for each in value]
    return MOMENT.sub("MOMENT", UUID.sub("UUID", value)) if isinstance(value, str) else value


def line(event: dict[str, Any]) -> str:
    kind = event.pop("eventType")
    attributes = next((event.pop(key) for key in list(event) if key.endswith("EventAttributes")), {})
    return f"{kind.removeprefix('EVENT_TYPE_')} {json.dumps(masked(attributes | event), sort_keys=True)}"


async def history(client: Client, workflow_id: str, run_id: str) -> list[str]:
    request = GetWorkflowExecutionHistoryRequest(
        namespace="default", execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id))
    lines = []
    while True:
        page = await client.workflow_service.get_workflow_execution_history(request)
        events = (MessageToDict(event) for event in page.history.events)
        lines += [line(event) for event in events if not PASSED_OVER.match(event["eventType"])]
        request.next_page_token = page.next_page_token
        if not request.next_page_token:
            return lines


async def collect(address: str) -> dict[str, list[str]]:
    client = await Client.connect(address)
    request = ListWorkflowExecutionsRequest(namespace="default", page_size=1000)
    runs = []
    while True:
        page = await client.workflow_service.list_workflow_executions(request)
        runs += [(one.execution.workflow_id, one.execution.run_id) for one in page.executions]
        request.next_page_token = page.next_page_token
        if not request.next_page_token:
            break
    limit = asyncio.Semaphore(PARALLEL)

    async def one(workflow_id: str, run_id: str) -> tuple[str, list[str]]:
        async with limit:
            return UUID.sub("UUID", workflow_id), await history(client, workflow_id, run_id)

    found: dict[str, set[str]] = {}
    for scenario, lines in await asyncio.gather(*(one(*run) for run in runs)):
        found.setdefault(scenario, set()).update(lines)
    return {scenario: sorted(lines) for scenario, lines in sorted(found.items())}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    print(json.dumps(asyncio.run(collect(parser.parse_args().address)), indent=1), flush=True)
    os._exit(0)  # Threads of the official package may crash an interpreter that ends.
