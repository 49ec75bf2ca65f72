"""The classes that grpcio's users have of a service, made from its descriptor: to call it, and to serve it.

Only chimera.api.*.service_pb2_grpc uses this. The client of this package does not, and does not need grpcio.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.descriptor import FileDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass


def define(file: FileDescriptor, module: str) -> dict[str, Any]:
    """XStub, XServicer and add_XServicer_to_server of each service X of a file; `module` is where they live."""
    result: dict[str, Any] = {}
    for name, service in file.services_by_name.items():
        result[f"{name}Stub"] = type(f"{name}Stub", (), {"__init__": _stub(service), "__module__": module})
        refusals = {rpc.name: _refusal(rpc.name) for rpc in service.methods}
        result[f"{name}Servicer"] = type(f"{name}Servicer", (), {**refusals, "__module__": module})
        result[f"add_{name}Servicer_to_server"] = _adder(service)
    return result


def _stub(service: ServiceDescriptor) -> Callable[[Any, Any], None]:
    def __init__(self: Any, channel: Any) -> None:
        for rpc in service.methods:
            call = channel.unary_unary(
                f"/{service.full_name}/{rpc.name}",
                request_serializer=_request(rpc).SerializeToString,
                response_deserializer=GetMessageClass(rpc.output_type).FromString,
            )
            setattr(self, rpc.name, call)

    return __init__


def _request(rpc: MethodDescriptor) -> Any:
    return GetMessageClass(rpc.input_type)


def _refusal(name: str) -> Callable[[Any, Any, Any], Any]:
    def refuse(self: Any, request: Any, context: Any) -> Any:
        context.set_code(grpc.StatusCode.UNIMPLEMENTED)
        context.set_details(f"{name} is not implemented by this server")
        raise NotImplementedError(f"{name} is not implemented by {type(self).__name__}")

    refuse.__name__ = name
    return refuse


def _adder(service: ServiceDescriptor) -> Callable[[Any, Any], None]:
    def add(servicer: Any, server: Any) -> None:
        handlers = {
            rpc.name: grpc.unary_unary_rpc_method_handler(
                getattr(servicer, rpc.name),
                request_deserializer=_request(rpc).FromString,
                response_serializer=GetMessageClass(rpc.output_type).SerializeToString,
            )
            for rpc in service.methods
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service.full_name, handlers),))

    return add
