"""What the token of an operation names: a workflow, an update of one, or an activity."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import chimera.client

OutputT = TypeVar("OutputT")

_BASE64URL = re.compile("[A-Za-z0-9_-]*")


class OperationTokenType(IntEnum):
    """What is behind an operation."""

    WORKFLOW = 1
    ACTIVITY = 2
    UPDATE_WORKFLOW = 3


# Fields of an OperationToken and their names in the token, in the order in which they are written.
_NAMES = {
    "type": "t",
    "namespace": "ns",
    "workflow_id": "wid",
    "activity_id": "aid",
    "version": "v",
    "run_id": "rid",
    "update_id": "uid",
}
_TEXTS = ("workflow_id", "activity_id", "update_id", "run_id")
_REQUIRED = {
    OperationTokenType.WORKFLOW: ("workflow_id",),
    OperationTokenType.ACTIVITY: ("activity_id",),
    OperationTokenType.UPDATE_WORKFLOW: ("workflow_id", "update_id"),
}


@dataclass(frozen=True, kw_only=True)
class OperationToken:
    """A token's fields, as every Temporal SDK writes them."""

    version: int | None = None
    type: OperationTokenType
    namespace: str
    workflow_id: str | None = None
    activity_id: str | None = None
    run_id: str | None = None
    update_id: str | None = None

    def encode(self) -> str:
        """As JSON in base64url without padding."""
        given = {short: getattr(self, name) for name, short in _NAMES.items()}
        fields = {short: value for short, value in given.items() if value is not None}
        text = json.dumps(fields, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, token: str) -> OperationToken:
        """The fields of a token. TypeError if it is none."""
        fields = _fields_of(token)
        kind = fields.get("t")
        if not isinstance(kind, int) or isinstance(kind, bool):
            raise TypeError(f"invalid token: expected token type to be an int, got {type(kind)}")
        if kind not in list(OperationTokenType):
            known = ", ".join(f"{each.value} ({each.name})" for each in OperationTokenType)
            raise TypeError(f"invalid token: unknown token type, got {kind}. Valid values: {known}")
        version = fields.get("v")
        if version is not None and not isinstance(version, int):
            raise TypeError(f"invalid token: expected version to be an int or null, got {type(version)}")
        namespace = fields.get("ns")
        if not isinstance(namespace, str):  # It may be empty, but not missing.
            raise TypeError(f"invalid token: expected namespace to be a string, got {namespace!r}")
        texts = {name: fields.get(_NAMES[name]) for name in _TEXTS}
        for name, value in texts.items():
            if value is not None and not isinstance(value, str):
                raise TypeError(f"invalid token: expected {_words(name)} to be a string, got {value!r}")
        made = cls(type=OperationTokenType(kind), namespace=namespace, version=version, **texts)
        for name in _REQUIRED[made.type]:
            if not texts[name]:
                raise TypeError(
                    f"invalid token: expected non-empty {_words(name)} for token type `{made.type.name}`"
                )
        return made


def _words(name: str) -> str:
    return name if name == "run_id" else name.replace("_", " ")


def _fields_of(token: str) -> dict[str, Any]:
    if not token:
        raise TypeError("invalid token: token is empty")
    try:
        raw = _base64url_decode_no_padding(token)
    except ValueError as err:
        raise TypeError("failed to decode token as base64url") from err
    try:
        fields = json.loads(raw)
    except ValueError as err:
        raise TypeError("failed to unmarshal operation token") from err
    if not isinstance(fields, dict):
        raise TypeError(f"invalid token: expected dict, got {type(fields)}")
    return fields


def _base64url_decode_no_padding(text: str) -> bytes:
    if not _BASE64URL.fullmatch(text):  # The decoder skips what does not belong there.
        raise ValueError(f"{text!r} has characters that base64url has not")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True)
class WorkflowHandle(Generic[OutputT]):
    """A workflow that backs an operation. `WorkflowRunOperationContext.start_workflow` makes it."""

    namespace: str
    workflow_id: str
    version: int | None = None

    def to_token(self) -> str:
        """The operation's token."""
        return OperationToken(
            type=OperationTokenType.WORKFLOW, namespace=self.namespace, workflow_id=self.workflow_id
        ).encode()

    @classmethod
    def from_token(cls, token: str) -> WorkflowHandle[OutputT]:
        """The handle of a token. TypeError if it is none, or one of something other than a workflow."""
        fields = OperationToken.decode(token)
        if fields.type is not OperationTokenType.WORKFLOW:
            raise TypeError(
                f"invalid workflow token type: {fields.type.value}, expected: {OperationTokenType.WORKFLOW.value}"
            )
        if fields.version:
            raise TypeError(
                f"invalid workflow token: 'v' field, if present, must be 0 or null/absent, got {fields.version!r}"
            )
        assert fields.workflow_id
        return cls(fields.namespace, fields.workflow_id, fields.version)

    def _to_client_workflow_handle(
        self, client: chimera.client.Client, result_type: type[OutputT] | None = None
    ) -> chimera.client.WorkflowHandle[Any, OutputT]:
        """The client's handle of it. ValueError for a client of another namespace."""
        if client.namespace != self.namespace:
            raise ValueError(
                f"Client namespace {client.namespace} does not match operation token namespace {self.namespace}"
            )
        return client.get_workflow_handle(self.workflow_id, result_type=result_type)
