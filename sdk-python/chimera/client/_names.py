"""Wire names and result types of what callers hand over: decorated functions, classes, or names."""

from __future__ import annotations

from typing import Any


def of_workflow(workflow: Any) -> tuple[str, type | None]:
    """Of a workflow's run method or its name."""
    if isinstance(workflow, str):
        return workflow, None
    from chimera.workflow._definition import _Definition

    return _Definition.get_name_and_result_type(workflow)


def of_signal(signal: Any) -> str:
    """Of a signal method or its name."""
    if isinstance(signal, str):
        return signal
    from chimera.workflow._handlers import _SignalDefinition

    return _SignalDefinition.must_name_from_fn_or_str(signal)


def of_query(query: Any) -> tuple[str, type | None]:
    """Of a query method or its name."""
    if isinstance(query, str):
        return query, None
    if not callable(query):
        raise TypeError("Query must be a string or callable")
    from chimera.workflow._handlers import _QueryDefinition

    definition = _QueryDefinition.from_fn(query)
    if definition is None:
        raise RuntimeError(
            f"Query definition not found on {query.__qualname__}, is it decorated with @workflow.query?"
        )
    if not definition.name:
        raise RuntimeError("Cannot invoke dynamic query definition")
    return definition.name, definition.ret_type


def of_update(update: Any) -> tuple[str, type | None]:
    """Of an update method or its name."""
    if isinstance(update, str):
        return update, None
    from chimera.workflow._handlers import _UpdateDefinition

    return _UpdateDefinition.get_name_and_result_type(update)


def of_activity(activity: Any) -> tuple[str, type | None]:
    """Of an activity function or its name."""
    if isinstance(activity, str):
        return activity, None
    from chimera.activity import _Definition

    return _Definition.get_name_and_result_type(activity)


def of_nexus_operation(operation: Any) -> tuple[str, type | None]:
    """Of a service's operation, of what a handler starts it with, or its name."""
    if isinstance(operation, str):
        return operation, None
    import nexusrpc

    if isinstance(operation, nexusrpc.Operation):
        return operation.name, operation.output_type
    if not callable(operation):
        raise ValueError(f"Operation is not a Nexus operation: {operation}")
    found = nexusrpc.get_operation(operation) or nexusrpc.get_operation(
        getattr(operation, "__nexus_operation_factory__", None)
    )
    if not isinstance(found, nexusrpc.Operation):
        raise ValueError(f"Operation callable is not a Nexus operation: {operation}")
    return found.name, found.output_type


def of_nexus_service(service: Any) -> str:
    """Of a service's class, its handler's, or its name."""
    if isinstance(service, str):
        return service
    import nexusrpc

    definition = nexusrpc.get_service_definition(service)
    if definition is not None:
        return definition.name
    if isinstance(service, type):
        return service.__name__
    raise TypeError(f"A Nexus service is a class or a name, not {service!r}")
