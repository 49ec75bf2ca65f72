"""Nexus services handled by workers: the names that services are written with.

Workers of this version do not handle Nexus operations; such a service can be defined, and giving it
to a worker is an error that says so. So does the workflow task that calls an operation.
"""

from __future__ import annotations

import base64
import json
import re
import typing
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, NoReturn, TypeVar

import nexusrpc
import nexusrpc.handler

from chimera import common

_BASE64URL = re.compile("[A-Za-z0-9_-]*")
_WORKFLOW_TOKEN = 1  # The kind of a token whose operation is a workflow.

OutputT = TypeVar("OutputT")


def _unsupported() -> NoReturn:
    raise NotImplementedError("Nexus operations are not handled by workers yet")


@dataclass(frozen=True)
class WorkflowHandle(Generic[OutputT]):
    """A workflow that backs an operation."""

    namespace: str
    workflow_id: str
    version: int | None = None

    def to_token(self) -> str:
        """The operation's token: what every Temporal SDK writes for a workflow, as base64url without padding."""
        fields = {"t": _WORKFLOW_TOKEN, "ns": self.namespace, "wid": self.workflow_id}
        text = json.dumps(fields, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def from_token(cls, token: str) -> WorkflowHandle[OutputT]:
        """The handle of a token. TypeError if it is none, or one of something other than a workflow."""
        fields = _token_fields(token)
        if fields.get("t") != _WORKFLOW_TOKEN or isinstance(fields["t"], bool):
            raise TypeError(f"invalid workflow token type: {fields.get('t')!r}, expected: {_WORKFLOW_TOKEN}")
        workflow_id, namespace, version = fields.get("wid"), fields.get("ns"), fields.get("v")
        if not isinstance(workflow_id, str) or not workflow_id:
            raise TypeError(f"invalid workflow token: 'wid' must be a workflow id, got {workflow_id!r}")
        if not isinstance(namespace, str):
            raise TypeError(f"invalid workflow token: 'ns' must be a namespace, got {namespace!r}")
        if version is not None and version != 0:
            raise TypeError(f"invalid workflow token: 'v' field, if present, must be 0 or null, got {version!r}")
        return cls(namespace, workflow_id, version)


def _token_fields(token: str) -> dict[str, Any]:
    if not token:
        raise TypeError("invalid token: token is empty")
    try:
        if not _BASE64URL.fullmatch(token):  # The decoder skips what does not belong there.
            raise ValueError(f"{token!r} has other characters")
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError as err:
        raise TypeError("failed to decode token as base64url") from err
    try:
        fields = json.loads(raw)
    except ValueError as err:
        raise TypeError("failed to unmarshal operation token") from err
    if not isinstance(fields, dict):
        raise TypeError(f"invalid token: expected dict, got {type(fields)}")
    return fields


class WorkflowRunOperationContext(nexusrpc.handler.StartOperationContext):
    """What a `workflow_run_operation` gets."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Made by the worker."""
        super().__init__(*args, **kwargs)

    @property
    def metric_meter(self) -> common.MetricMeter:
        """Not supported yet."""
        _unsupported()

    async def start_workflow(
        self,
        workflow: str | Callable[..., Awaitable[OutputT]],
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        id: str,
        task_queue: str | None = None,
        result_type: type | None = None,
        execution_timeout: timedelta | None = None,
        run_timeout: timedelta | None = None,
        task_timeout: timedelta | None = None,
        id_reuse_policy: common.WorkflowIDReusePolicy = common.WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: common.WorkflowIDConflictPolicy = common.WorkflowIDConflictPolicy.UNSPECIFIED,
        retry_policy: common.RetryPolicy | None = None,
        cron_schedule: str = "",
        memo: Mapping[str, Any] | None = None,
        search_attributes: common.TypedSearchAttributes | common.SearchAttributes | None = None,
        static_summary: str | None = None,
        static_details: str | None = None,
        start_delay: timedelta | None = None,
        start_signal: str | None = None,
        start_signal_args: Sequence[Any] = [],
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
        request_eager_start: bool = False,
        priority: common.Priority = common.Priority.default,
        versioning_override: common.VersioningOverride | None = None,
    ) -> WorkflowHandle[OutputT]:
        """Not supported yet."""
        _unsupported()


def _types_of(start: Callable[..., Any]) -> tuple[Any, Any]:
    """The operation's input and output, from the hints of (self, context, input) -> handle."""
    hints = typing.get_type_hints(start)
    returned = typing.get_args(hints.pop("return", None))
    given = list(hints.values())
    return (given[-1] if len(given) > 1 else Any), (returned[0] if returned else Any)


class _WorkflowRunHandler(nexusrpc.handler.OperationHandler[Any, Any]):
    async def start(self, ctx: nexusrpc.handler.StartOperationContext, input: Any) -> Any:
        _unsupported()

    async def cancel(self, ctx: nexusrpc.handler.CancelOperationContext, token: str) -> None:
        _unsupported()


def workflow_run_operation(
    start: Callable[..., Awaitable[WorkflowHandle[Any]]] | None = None,
    *,
    name: str | None = None,
) -> Any:
    """Decorator of a service's method whose operation is a workflow."""

    def decorate(start: Any) -> Any:
        def factory(service: Any) -> nexusrpc.handler.OperationHandler[Any, Any]:
            return _WorkflowRunHandler()

        input_type, output_type = _types_of(start)
        operation: Any = nexusrpc.Operation(
            name=name or start.__name__, input_type=input_type, output_type=output_type
        )
        operation.method_name = start.__name__
        # The two attributes by which nexusrpc finds operations of a service.
        factory.__nexus_operation__ = operation  # type: ignore
        start.__nexus_operation_factory__ = factory
        return start

    return decorate(start) if start is not None else decorate
