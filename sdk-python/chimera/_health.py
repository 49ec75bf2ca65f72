"""The messages of gRPC's health service, in a descriptor pool of their own: other packages bring them, too."""

from __future__ import annotations

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_STRING = descriptor_pb2.FieldDescriptorProto.TYPE_STRING
_ENUM = descriptor_pb2.FieldDescriptorProto.TYPE_ENUM
_OPTIONAL = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="grpc/health/v1/health.proto", package="grpc.health.v1")
    file.syntax = "proto3"
    request = file.message_type.add(name="HealthCheckRequest")
    request.field.add(name="service", number=1, type=_STRING, label=_OPTIONAL)
    response = file.message_type.add(name="HealthCheckResponse")
    states = response.enum_type.add(name="ServingStatus")
    for number, state in enumerate(("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")):
        states.value.add(name=state, number=number)
    response.field.add(
        name="status", number=1, type=_ENUM, label=_OPTIONAL,
        type_name=".grpc.health.v1.HealthCheckResponse.ServingStatus",
    )
    health = file.service.add(name="Health")
    health.method.add(
        name="Check", input_type=".grpc.health.v1.HealthCheckRequest", output_type=".grpc.health.v1.HealthCheckResponse"
    )
    return file


_pool = descriptor_pool.DescriptorPool()
_pool.AddSerializedFile(_file().SerializeToString())
DESCRIPTOR = _pool.FindFileByName("grpc/health/v1/health.proto")
HealthCheckRequest = message_factory.GetMessageClass(DESCRIPTOR.message_types_by_name["HealthCheckRequest"])
HealthCheckResponse = message_factory.GetMessageClass(DESCRIPTOR.message_types_by_name["HealthCheckResponse"])
SERVING = 1
