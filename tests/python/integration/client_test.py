"""The client against a server: what it sends, and what it makes of the answers. No worker."""

import asyncio
from datetime import timedelta

import pytest

from chimera.client import (
    Client,
    RPCError,
    RPCStatusCode,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHistory,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from chimera.exceptions import TerminatedError, WorkflowAlreadyStartedError


async def test_an_unreachable_server_says_where_and_what_to_do():
    message = r"cannot connect to Temporal at 127\.0\.0\.1:1 .*Check that a server listens there"
    with pytest.raises(RuntimeError, match=message):
        await Client.connect("127.0.0.1:1", connect_timeout=timedelta(seconds=1))


async def test_start_describe_terminate_result(client: Client, name: str):
    handle = await client.start_workflow("Order", {"id": 17}, id=name, task_queue=name)

    description = await handle.describe()
    await handle.terminate("first", 2, reason="no longer wanted")
    with pytest.raises(WorkflowFailureError) as error:
        await handle.result()

    assert description.status == WorkflowExecutionStatus.RUNNING
    assert (description.id, description.run_id) == (name, handle.result_run_id)
    assert description.workflow_type == "Order"
    assert isinstance(error.value.cause, TerminatedError)
    assert str(error.value.cause) == "no longer wanted"
    assert list(error.value.cause.details) == ["first", 2]


async def test_an_id_in_use_is_an_error_that_names_the_run(client: Client, name: str):
    handle = await client.start_workflow("Order", id=name, task_queue=name)

    with pytest.raises(WorkflowAlreadyStartedError) as error:
        await client.start_workflow("Order", id=name, task_queue=name)

    assert error.value.run_id == handle.result_run_id
    await handle.terminate()


async def test_history_survives_json_with_short_enum_names(client: Client, name: str):
    handle = await client.start_workflow("Order", "argument", id=name, task_queue=name)
    await handle.signal("approve", "ann")
    await handle.terminate()

    history = await handle.fetch_history()
    text = history.to_json()
    short = text.replace("EVENT_TYPE_WORKFLOW_EXECUTION_STARTED", "WorkflowExecutionStarted")

    assert short != text
    assert list(WorkflowHistory.from_json(name, text).events) == list(history.events)
    assert list(WorkflowHistory.from_json(name, short).events) == list(history.events)
    assert history.run_id == handle.result_run_id


async def test_cancelling_the_wait_for_a_result_cancels_the_call_only(client: Client, name: str):
    handle = await client.start_workflow("Order", id=name, task_queue=name)
    waiting = asyncio.ensure_future(handle.result())
    await handle.describe()

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
    await handle.terminate()


@pytest.mark.peer  # The embedded server holds the call past its deadline.
async def test_waiting_for_an_update_ends_with_its_own_error(client: Client, name: str):
    handle = await client.start_workflow("Order", id=name, task_queue=name)

    with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError):
        await handle.start_update(
            "tip", 1, wait_for_stage=WorkflowUpdateStage.ACCEPTED, rpc_timeout=timedelta(milliseconds=300)
        )
    with pytest.raises(ValueError, match="ADMITTED wait stage not supported"):
        await handle.start_update("tip", 1, wait_for_stage=WorkflowUpdateStage.ADMITTED)

    await handle.terminate()


async def test_rpc_errors_carry_code_message_and_details(client: Client):
    with pytest.raises(RPCError) as error:
        await client.get_workflow_handle("there-is-none").describe()

    assert error.value.status == RPCStatusCode.NOT_FOUND
    assert error.value.grpc_status.code == RPCStatusCode.NOT_FOUND


async def test_metadata_values_must_fit_their_keys(client: Client):
    with pytest.raises(ValueError, match=r"some-bin.*needs a bytes value"):
        client.rpc_metadata = {"some-bin": "text"}
    with pytest.raises(ValueError, match=r"plain.*needs a str value"):
        client.rpc_metadata = {"plain": b"bytes"}
