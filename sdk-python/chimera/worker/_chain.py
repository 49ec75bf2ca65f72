"""The ends of a run's interceptor chains: where calls reach the workflow, and the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from chimera.worker._interceptor import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    StartNexusOperationInput,
    WorkflowInboundInterceptor,
    WorkflowOutboundInterceptor,
)
from chimera.worker._operations import ContinueAsNew

if TYPE_CHECKING:
    from chimera.worker._run import Run


class InboundEnd(WorkflowInboundInterceptor):
    """Calls the user's code."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.outbound: Any = None

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        self.outbound = outbound

    def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # Awaitable; no frame more.
        return input.run_fn(self._run.object, *input.args)

    async def _call(self, kind: str, name: str, args: Any) -> Any:
        definition = self._run.handlers.find(kind, name)
        result = definition.bound(self._run.object)(*args)
        return await result if definition.is_async else result

    async def handle_signal(self, input: HandleSignalInput) -> None:
        await self._call("signal", input.signal, input.args)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        return await self._call("query", input.query, input.args)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        definition = self._run.handlers.find("update", input.update)
        validator = definition.validator
        if validator is not None:
            instance = (self._run.object,) if definition.is_method else ()
            validator(*instance, *input.args)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        return await self._call("update", input.update, input.args)


class OutboundEnd(WorkflowOutboundInterceptor):
    """Calls the run."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        raise ContinueAsNew(input)

    def info(self) -> Any:
        return self._run.info

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        namespace = self._run.info.namespace
        await self._run.operations.signal(
            input.signal, input.args, input.headers, namespace, input.child_workflow_id, None, True
        )

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        await self._run.operations.signal(
            input.signal,
            input.args,
            input.headers,
            input.namespace,
            input.workflow_id,
            input.workflow_run_id,
            False,
        )

    def start_activity(self, input: StartActivityInput) -> Any:
        return self._run.operations.schedule_activity(input, local=False)

    def start_local_activity(self, input: StartLocalActivityInput) -> Any:
        return self._run.operations.schedule_activity(input, local=True)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> Any:
        return await self._run.operations.schedule_child(input)

    async def start_nexus_operation(self, input: StartNexusOperationInput) -> Any:
        return await self._run.operations.schedule_nexus(input)

    async def start_system_nexus_operation(self, input: StartNexusOperationInput) -> Any:
        raise NotImplementedError(
            f"{input.service}: operations of the server itself are not supported yet; have an activity make the call"
        )
