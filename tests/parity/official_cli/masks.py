"""What of a command's output may differ between two servers that do the same: ids, times, names of the machine."""

import base64
import json
import re
import socket
from typing import Any

# Measured, or numbered by the server's own storage.
KEYS = {
    "taskId": "<number>",
    "historySizeBytes": "<size>",
    "HistorySize": "<size>",
    "executionDuration": "<duration>",
    "RunTime": "<duration>",
    "identity": "<identity>",
    "lastWorkerIdentity": "<identity>",
    "nextPageToken": "<token>",
    "taskToken": "<token>",
    "approximateBacklogAge": "<duration>",
    "tasksAddRate": "<rate>",
    "tasksDispatchRate": "<rate>",
    "backlogIncreaseRate": "<rate>",
    "stackTrace": "<stack>",
    "durationMillis": "<duration>",
    "firstWorkflowTaskBackoff": "<duration>",
    "last_access_time": "<time>",
    "createTime": "<time>",
}
TYPES = "Keyword|KeywordList|Int|Text|Double|Bool|Datetime"
# The last is the id of the request of a task that came with the answer to another, which is chance.
IDS = re.compile(
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b[0-9a-f]{32}\b"
    r"|\brequest-from-RespondWorkflowTaskCompleted\b"
)
PATTERNS = [
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d\d:?\d\d( UTC)?)?"), "<time>"),
    (re.compile(r"\b(a|an|\d+) (few )?(second|minute|hour|day|week)s? (ago|from now)|\b(now|just now)\b"), "<ago>"),
    (re.compile(r"\b(\d+)\.0\d+s"), r"\1s"),
    (re.compile(r"^((?:historySizeBytes|taskId|sdkMetadata\.coreUsedFlags\[\d\]): )\d+", re.M), r"\1<number>"),
    (re.compile(r'"Stack for .*"$', re.M), "<stack>"),
    (re.compile(r"((?:workflow|activity|nexus) +[1-9]\d*) .*"), r"\1 <age and rates>"),
    (re.compile(r"(?<=✓ )(\w+) \(\S+\)"), r"\1 (<duration>)"),
    (re.compile(rf"\b({TYPES})\d\d\b"), r"\1<number>"),
    (re.compile(r"\b(127\.0\.0\.1|localhost):\d+"), "<address>"),
    (re.compile(r"\b\d+@" + re.escape(socket.gethostname())), "<process>"),
    (re.compile(r"\b[\w.-]+:[\w-]+@" + re.escape(socket.gethostname())), "<user>"),
    (re.compile(re.escape(socket.gethostname())), "<host>"),
    (re.compile(r"^(\s*(HistorySize|RunTime|TaskId)\s+)\S+", re.M), r"\1<measured>"),
    (re.compile(r"(/\S*)?/worker\.py\b"), "<worker.py>"),
    (re.compile(r"/tmp/\S*/home\b"), "<home>"),
]
ROW = re.compile(rf" +(\w+ ?\w*  ({TYPES})|\S+  (workflow|activity|nexus)  .*)$")


def masked_text(text: str, ids: dict[str, str]) -> str:
    for pattern, mask in PATTERNS:
        text = pattern.sub(mask, text)
    return IDS.sub(lambda found: ids.setdefault(found[0], f"<id {len(ids) + 1}>"), text)


def decoded(data: Any) -> Any:
    """A payload's data as text, so that ids in it are seen."""
    try:
        return base64.b64decode(data, validate=True).decode()
    except (TypeError, ValueError):
        return data


def place(part: Any) -> Any:
    """Where a part of a list belongs, if neither server gives it an order."""
    if isinstance(part, dict):
        return part.get("activityId", "") + part.get("taskQueueType", "")
    return f"{part:09}" if isinstance(part, int) else ""


def masked_value(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {masked_text(key, ids): KEYS.get(key) or masked_value(decoded(part) if key == "data" else part, ids)
                for key, part in value.items()}
    if isinstance(value, list):
        return [masked_value(part, ids) for part in sorted(value, key=place)]
    if isinstance(value, str):
        return "<stack>" if value.startswith("Stack for ") else masked_text(value, ids)
    return value


def masked(output: str) -> list[str]:
    """The output's lines. Ids are numbered as they appear; widths of columns are not looked at."""
    ids: dict[str, str] = {}
    output = re.sub(r"(?<=allowed values are: )[\w, ]+", lambda some: ", ".join(sorted(some[0].split(", "))), output)
    try:
        values = [json.loads(output)]
    except ValueError:
        try:
            values = [json.loads(line) for line in output.splitlines()]
        except ValueError:
            values = []
    if values and any(isinstance(value, (dict, list)) for value in values):
        return [line for value in values for line in flat("", masked_value(value, ids))]
    lines = masked_text(output, ids).splitlines()
    lines = [re.sub(r"(?<=\S) {2,}", "  ", line).rstrip() for line in lines if line.strip()]
    return by_first_column(lines)


def flat(path: str, value: Any) -> list[str]:
    """A line for each value in a JSON document: "events[3].eventId = 4"."""
    if isinstance(value, dict) and value:
        return [line for key in sorted(value) for line in flat(f"{path}.{key}" if path else key, value[key])]
    if isinstance(value, list) and value:
        return [line for number, part in enumerate(value) for line in flat(f"{path}[{number}]", part)]
    return [f"{path} = {json.dumps(value)}"]


def by_first_column(lines: list[str]) -> list[str]:
    """Rows of the tables that the CLI makes of a Go map, which has no order, are sorted."""
    done: list[str] = []
    rows: list[str] = []
    for line in [*lines, ""]:
        if ROW.match(line):
            rows.append(line.lstrip())
        else:
            done += [*sorted(rows), line]
            rows = []
    return done[:-1]
