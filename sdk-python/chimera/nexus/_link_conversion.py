"""Links between executions: as messages of the API, and as the URLs that Nexus carries.

A link that cannot be converted is left out and logged: it must not keep an operation from its work.
"""

from __future__ import annotations

import logging
import re
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import nexusrpc

from chimera import _api

logger = logging.getLogger(__name__)

_SCHEME = "temporal"
_EVENT_PREFIX = "EVENT_TYPE_"
# The two ways in which a link points at an event: its name in a URL, and the field of the message.
_EVENT, _REQUEST_ID = "EventReference", "RequestIdReference"

Parameters = dict[str, list[str]]


def temporal_link_to_nexus_link(link: Any) -> nexusrpc.Link | None:
    """The URL of a `common.v1.Link`; None if it has none."""
    kind = link.WhichOneof("variant")
    if kind not in _KINDS:
        logger.warning("Invalid Temporal link: %s has no form as a Nexus link", kind or "missing variant")
        return None
    return _KINDS[kind].to_nexus(getattr(link, kind))


def nexus_link_to_temporal_link(link: nexusrpc.Link) -> Any:
    """The `common.v1.Link` of a URL; None if it is not one of Temporal's."""
    for kind in _KINDS.values():
        if link.type == kind.type_name:
            return kind.from_nexus(link)
    logger.warning("Invalid Nexus link: unknown link type %s", link)
    return None


@dataclass(frozen=True)
class _Kind:
    """One variant of a link: its path is /namespaces/NAMESPACE/WORD/ID/RUN_ID[/TAIL]."""

    variant: str
    word: str
    tail: str
    id_field: str
    parameters_of: Callable[[Any], list[tuple[str, str]]] = lambda _: []
    read_parameters: Callable[[Parameters, Any], None] = lambda _parameters, _message: None
    run_id_required: bool = True

    @property
    def type_name(self) -> str:
        return _api.common.Link.DESCRIPTOR.fields_by_name[self.variant].message_type.full_name

    def to_nexus(self, message: Any) -> nexusrpc.Link | None:
        parts = ["namespaces", message.namespace, self.word, getattr(message, self.id_field), message.run_id]
        return _link(self.type_name, [*parts, *([self.tail] if self.tail else [])], self.parameters_of(message))

    def from_nexus(self, link: nexusrpc.Link) -> Any:
        url = _parsed(link)
        if url is None:
            return None
        run_id = "[^/]+" if self.run_id_required else "[^/]*"
        tail = f"/{self.tail}" if self.tail else ""
        pattern = f"/namespaces/([^/]+)/{self.word}/([^/]+)/({run_id}){tail}"
        found = re.fullmatch(pattern, url.path)
        if found is None:
            return _refused(link, f"expected path to match {pattern}")
        result = _api.common.Link()
        message = getattr(result, self.variant)
        message.SetInParent()
        for field, part in zip(("namespace", self.id_field, "run_id"), found.groups()):
            setattr(message, field, urllib.parse.unquote(part))
        try:
            self.read_parameters(urllib.parse.parse_qs(url.query), message)
        except ValueError as err:
            return _refused(link, str(err))
        return result


class _CallbackKind:
    """A callback of an execution, whose kind is a part of the path, too."""

    variant = "callback"
    words = ("workflows", "activities", "nexus-operations")

    @property
    def type_name(self) -> str:
        return _api.common.Link.Callback.DESCRIPTOR.full_name

    def _types(self) -> list[tuple[int, str]]:
        enum = _api.enums.ExecutionType
        names = ("WORKFLOW", "ACTIVITY", "NEXUS_OPERATION")
        return [(enum.Value(f"EXECUTION_TYPE_{name}"), word) for name, word in zip(names, self.words)]

    def to_nexus(self, message: Any) -> nexusrpc.Link | None:
        word = dict(self._types()).get(message.execution.type)
        if word is None:
            logger.warning(
                "A link of a callback is left out: executions of type %s are not known", message.execution.type
            )
            return None
        execution = message.execution
        parts = ["namespaces", message.namespace, word, execution.business_id, execution.run_id]
        parameters = [("componentPath", each) for each in message.component_path]
        return _link(self.type_name, [*parts, "callbacks", message.request_id], parameters)

    def from_nexus(self, link: nexusrpc.Link) -> Any:
        url = _parsed(link)
        if url is None:
            return None
        pattern = "/namespaces/([^/]+)/([^/]+)/([^/]+)/([^/]+)/callbacks/([^/]+)"
        found = re.fullmatch(pattern, url.path)
        if found is None:
            return _refused(link, f"expected path to match {pattern}")
        namespace, word, business_id, run_id, request_id = map(urllib.parse.unquote, found.groups())
        number = {each: number for number, each in self._types()}.get(word)
        if number is None:
            return _refused(link, f"unsupported execution type {word!r}")
        # An empty part of the path counts: those behind it would move.
        path = urllib.parse.parse_qs(url.query, keep_blank_values=True).get("componentPath", [])
        result = _api.common.Link()
        result.callback.namespace = namespace
        result.callback.request_id = request_id
        result.callback.component_path.extend(path)
        result.callback.execution.type = _api.number(number)
        result.callback.execution.business_id = business_id
        result.callback.execution.run_id = run_id
        return result


def _link(type_name: str, parts: list[str], parameters: list[tuple[str, str]]) -> nexusrpc.Link:
    path = "/".join(urllib.parse.quote(part, safe="") for part in parts)
    query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
    return nexusrpc.Link(url=f"{_SCHEME}:///{path}{query}", type=type_name)


def _parsed(link: nexusrpc.Link) -> urllib.parse.ParseResult | None:
    url = urllib.parse.urlparse(link.url)
    if url.scheme != _SCHEME:
        _refused(link, f"expected scheme {_SCHEME!r}, got {url.scheme!r}")
        return None
    return url


def _refused(link: nexusrpc.Link, why: str) -> None:
    logger.warning("Invalid Nexus link: %s: %s", link, why)


# Parameters


def _one(parameters: Parameters, name: str) -> str:
    values = parameters.get(name) or [""]
    if len(values) > 1:
        raise ValueError(f"expected {name} to have at most 1 value")
    return values[0]


def _event_parameters(message: Any) -> list[tuple[str, str]]:
    """Which event of a workflow is meant."""
    kind = message.WhichOneof("reference")
    if kind is None:
        return []
    reference = getattr(message, kind)
    event_type = ("eventType", _short_event_type(reference.event_type))
    if kind == "event_ref":
        number = [("eventID", str(reference.event_id))] if reference.event_id else []
        return [*number, event_type, ("referenceType", _EVENT)]
    request = [("requestID", reference.request_id)] if reference.request_id else []
    return [("referenceType", _REQUEST_ID), *request, event_type]


def _read_event(parameters: Parameters, message: Any) -> None:
    kind = _one(parameters, "referenceType")
    if kind == _EVENT:
        event = message.event_ref
        number = _one(parameters, "eventID")
        if number and not re.fullmatch("-?[0-9]{1,19}", number):
            raise ValueError(f"invalid event id: {number}")
        event.event_id = int(number or 0)
    elif kind == _REQUEST_ID:
        event = message.request_id_ref
        event.request_id = _one(parameters, "requestID")
    else:
        raise ValueError(f"expected referenceType to be '{_EVENT}' or '{_REQUEST_ID}', got {kind!r}")
    event.event_type = _event_type(_one(parameters, "eventType"))


def _short_event_type(number: int) -> str:
    """NexusOperationScheduled, for EVENT_TYPE_NEXUS_OPERATION_SCHEDULED."""
    name = _api.enums.EventType.Name(_api.number(number)).removeprefix(_EVENT_PREFIX)
    return "".join(word.title() for word in name.split("_"))


def _event_type(name: str) -> Any:
    """Of either form: older servers send the long one."""
    if not name.startswith(_EVENT_PREFIX):
        if not re.match("[A-Z][a-z]", name):
            raise ValueError(f"invalid event type name: {name!r}")
        name = _EVENT_PREFIX + re.sub("([A-Z])", r"_\1", name).lstrip("_").upper()
    return _api.enums.EventType.Value(name)  # Its ValueError names it.


def _read_reason(parameters: Parameters, message: Any) -> None:
    message.reason = _one(parameters, "reason")


_KINDS: dict[str, _Kind | _CallbackKind] = {
    "workflow_event": _Kind(
        "workflow_event", "workflows", "history", "workflow_id", _event_parameters, _read_event
    ),
    "workflow": _Kind(
        "workflow",
        "workflows",
        "",
        "workflow_id",
        lambda message: [("reason", message.reason)] if message.reason else [],
        _read_reason,
    ),
    # One that a client started need not have a run id.
    "nexus_operation": _Kind(
        "nexus_operation", "nexus-operations", "details", "operation_id", run_id_required=False
    ),
    "activity": _Kind("activity", "activities", "details", "activity_id"),
    "callback": _CallbackKind(),
}
