"""A workflow's history: fetched in pages, and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chimera import _api
from chimera._lazy import LazyModule
from chimera.client._pages import Pages
from chimera.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from google.protobuf import descriptor, json_format

    from chimera.api.history.v1 import HistoryEvent
else:
    descriptor = LazyModule("google.protobuf.descriptor")
    json_format = LazyModule("google.protobuf.json_format")


@dataclass(frozen=True)
class WorkflowHistory:
    """The events of one run. Not necessarily all of them."""

    workflow_id: str
    events: Sequence[HistoryEvent]

    @property
    def run_id(self) -> str:
        """The run that the history began with."""
        if not self.events:
            raise RuntimeError("No events")
        if not self.events[0].HasField("workflow_execution_started_event_attributes"):
            raise RuntimeError("First event is not workflow start")
        return self.events[0].workflow_execution_started_event_attributes.original_execution_run_id

    @staticmethod
    def from_json(workflow_id: str, history: str | dict[str, Any]) -> WorkflowHistory:
        """Reads what the CLI, the Web UI or to_json wrote."""
        return WorkflowHistory(workflow_id, _history_from_json(history).events)

    def to_json(self) -> str:
        """JSON that every SDK reads."""
        return json_format.MessageToJson(_api.history.History(events=self.events))

    def to_json_dict(self) -> dict[str, Any]:
        """The same before it becomes text."""
        return json_format.MessageToDict(_api.history.History(events=self.events))


def _spell_enums(value: Mapping[str, Any], message: Any) -> dict[str, Any]:
    """Turns short enum names (`TimerStarted`), which older tools wrote, into the protocol's (`EVENT_TYPE_...`)."""
    fields = {field.json_name: field for field in message.fields} | dict(message.fields_by_name)
    return {name: _spell(item, fields.get(name)) for name, item in value.items()}


def _spell(value: Any, field: descriptor.FieldDescriptor | None) -> Any:
    if field is None:
        return value
    if isinstance(value, list):
        return [_spell(item, field) for item in value]
    if field.enum_type is not None and isinstance(value, str):
        names = field.enum_type.values_by_name
        if value in names:
            return value
        ending = "_" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", value).upper()
        return next((name for name in names if name.endswith(ending)), value)
    if field.message_type is not None and isinstance(value, dict):
        options = field.message_type.GetOptions()
        if options.map_entry:
            inner = field.message_type.fields_by_name["value"]
            return {key: _spell(item, inner) for key, item in value.items()}
        return _spell_enums(value, field.message_type)
    return value


@dataclass(init=False)  # As in temporalio.
class WorkflowHistoryEventAsyncIterator(Pages["HistoryEvent"]):
    """The events of a history, a page at a time."""

    async def _fetch(self, token: bytes, page_size: int) -> tuple[Sequence[HistoryEvent], bytes]:
        input = self._input
        request = _api.workflowservice.GetWorkflowExecutionHistoryRequest(
            namespace=self._client.namespace,
            execution=_api.common.WorkflowExecution(workflow_id=input.id, run_id=input.run_id or ""),
            maximum_page_size=page_size,
            next_page_token=token,
            wait_new_event=input.wait_new_event,
            history_event_filter_type=_api.number(input.event_filter_type),
            skip_archival=input.skip_archival,
        )
        service = self._client.workflow_service
        while True:
            try:
                reply = await service.get_workflow_execution_history(
                    request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
                )
                return reply.history.events, reply.next_page_token
            except RPCError as err:
                # A long poll that ended without news is repeated, unless the caller set its limit himself.
                if not input.wait_new_event or input.rpc_timeout is not None:
                    raise
                if err.status != RPCStatusCode.DEADLINE_EXCEEDED:
                    raise


def _history_from_json(history: str | dict[str, Any]) -> Any:
    """The message for JSON in any of the spellings in use."""
    parsed = json.loads(history) if isinstance(history, str) else history
    if not isinstance(parsed, dict):
        raise ValueError("JSON history not a dictionary")
    events = parsed.get("events")
    if not isinstance(events, list):
        raise ValueError("History does not have iterable 'events'")
    if not all(isinstance(event, dict) for event in events):
        raise ValueError("Event not a dictionary")
    message = _api.history.History()
    spelled = {"events": [_spell_enums(event, _api.history.HistoryEvent.DESCRIPTOR) for event in events]}
    json_format.ParseDict(spelled, message, ignore_unknown_fields=True)
    return message
