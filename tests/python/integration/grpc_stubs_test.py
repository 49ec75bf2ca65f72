"""The gRPC classes of chimera.api, for programs that use grpcio: a server of one's own, called by both clients."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio

import chimera.api.cloud.cloudservice.v1 as cloud
from chimera.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    CountWorkflowExecutionsResponse,
    DescribeNamespaceRequest,
    GetSystemInfoRequest,
    GetSystemInfoResponse,
    WorkflowServiceServicer,
    WorkflowServiceStub,
    add_WorkflowServiceServicer_to_server,
)
from chimera.client import Client


class Counting(WorkflowServiceServicer):
    async def GetSystemInfo(self, request: GetSystemInfoRequest, context: Any) -> GetSystemInfoResponse:
        return GetSystemInfoResponse()

    async def CountWorkflowExecutions(
        self, request: CountWorkflowExecutionsRequest, context: Any
    ) -> CountWorkflowExecutionsResponse:
        return CountWorkflowExecutionsResponse(count=len(request.query))


@pytest_asyncio.fixture
async def address() -> AsyncIterator[str]:
    server = grpc.aio.server()
    add_WorkflowServiceServicer_to_server(Counting(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(grace=None)


async def test_a_stub_and_our_client_call_a_servicer(address: str):
    request = CountWorkflowExecutionsRequest(namespace="default", query="four")
    client = await Client.connect(address)

    async with grpc.aio.insecure_channel(address) as channel:
        by_stub = await WorkflowServiceStub(channel).CountWorkflowExecutions(request)
    by_client = await client.workflow_service.count_workflow_executions(request)

    assert by_stub.count == by_client.count == 4


async def test_what_a_servicer_does_not_have_is_unimplemented(address: str):
    async with grpc.aio.insecure_channel(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await WorkflowServiceStub(channel).DescribeNamespace(DescribeNamespaceRequest())

    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_the_cloud_has_messages_and_classes():
    assert cloud.GetNamespaceRequest(namespace="n").namespace == "n"
    assert cloud.CloudServiceStub.__module__ == "chimera.api.cloud.cloudservice.v1.service_pb2_grpc"
