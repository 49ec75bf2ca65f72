"""`chimera server --archive`: what it keeps over kills, and what the command line and the documents show of it."""

import pathlib
import re

import pytest
from programs import CHIMERA, ROOT, Program

from chimera.api.workflow.v1 import WorkflowExecutionInfo
from chimera.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ListArchivedWorkflowExecutionsRequest
from chimera.client import Client, WorkflowHandle
from chimera.service import RPCError
from chimera.testing import WorkflowEnvironment


def archive_of(tmp_path: pathlib.Path) -> list[str | pathlib.Path | int]:
    return [CHIMERA, "server", "--port", 0, "--db-filename", tmp_path / "server.db", "--archive", tmp_path / "archive"]


async def archived(client: Client, count: int) -> list[WorkflowExecutionInfo]:
    """What the archive lists, once it has so many."""
    while True:
        request = ListArchivedWorkflowExecutionsRequest(namespace="default")
        reply = await client.workflow_service.list_archived_workflow_executions(request)
        if len(reply.executions) >= count:
            return list(reply.executions)


async def delete(client: Client, handle: WorkflowHandle) -> None:
    request = DeleteWorkflowExecutionRequest(namespace="default")
    request.workflow_execution.workflow_id = handle.id
    await client.workflow_service.delete_workflow_execution(request)
    with pytest.raises(RPCError):
        while True:
            await handle.describe()


async def test_what_closed_before_a_kill_is_archived_after_it(tmp_path: pathlib.Path):
    program = Program(*archive_of(tmp_path))
    client = await Client.connect(program.until(r"listening on (\S+:\d+)").group(1))
    histories = tmp_path / "archive/history"
    histories.rmdir()
    histories.write_text("in the way, so that nothing is archived")
    handles = [await client.start_workflow("Any", id=f"order-{i}", task_queue="q") for i in range(3)]
    for handle in handles:
        await handle.terminate()
    program.until("ERROR server: workflow order-0 of namespace default is not archived: .*archive/history")
    program.process.kill()
    program.end()
    histories.unlink()

    program = Program(*archive_of(tmp_path))
    client = await Client.connect(program.until(r"listening on (\S+:\d+)").group(1))
    listed = await archived(client, 3)
    code, said = program.stop()

    assert {info.execution.workflow_id for info in listed} == {"order-0", "order-1", "order-2"}
    assert len(list(histories.iterdir())) == 3
    assert code == 0, said


async def test_an_archived_workflow_is_shown(tmp_path: pathlib.Path):
    program = Program(*archive_of(tmp_path))
    address = program.until(r"listening on (\S+:\d+)").group(1)
    client = await Client.connect(address)
    handle = await client.start_workflow("Any", id="order-17", task_queue="q")
    await handle.signal("approve")
    await handle.terminate()
    await archived(client, 1)
    await delete(client, handle)

    run_id = handle.first_execution_run_id or ""
    code, said = Program(CHIMERA, "show", "order-17", "--run-id", run_id, "--address", address).end()
    fetched = await client.get_workflow_handle("order-17", run_id=run_id).fetch_history()
    program.stop()

    assert code == 0 and "signal approve" in said, said
    assert [event.event_id for event in fetched.events] == [1, 2, 3, 4]


async def test_the_example_of_an_archive(tmp_path: pathlib.Path):
    """docs/operations.md: its example lists what is archived."""
    section = (ROOT / "docs/operations.md").read_text().partition("## Archival")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```python\n(.*?)```", section, re.S)
    program = Program(*archive_of(tmp_path))
    client = await Client.connect(program.until(r"listening on (\S+:\d+)").group(1))
    handle = await client.start_workflow("Order", id="order-17", task_queue="q")
    await handle.terminate()
    await archived(client, 1)
    await delete(client, handle)

    space: dict = {}
    exec(block, space)
    histories = await space["archived_histories"](client, "WorkflowType = 'Order'")
    program.stop()

    assert [len(history.events) for history in histories] == [3]


def test_an_archive_that_cannot_be_used(tmp_path: pathlib.Path):
    (tmp_path / "archive").write_text("a file")

    code, said = Program(*archive_of(tmp_path)).end()

    assert code == 1
    assert f"the archive's folder {tmp_path / 'archive'} cannot be used: " in said


def test_an_archive_is_no_uri(tmp_path: pathlib.Path):
    code, said = Program(CHIMERA, "server", "--port", 0, "--archive", f"file://{tmp_path}").end()

    assert code == 1
    assert f"the archive's folder file://{tmp_path} cannot be used: it is a URI, not a folder" in said


def test_an_archive_without_a_name():
    code, said = Program(CHIMERA, "server", "--port", 0, "--archive", "").end()

    assert code == 2
    assert "--archive: its value is empty: give one, or leave the option out" in said


@pytest.mark.parametrize("words", [["--archive"], ["--archive="], ["--archive", ""]])
async def test_an_archive_without_a_name_in_process(words: list[str]):
    with pytest.raises(ValueError, match="--archive needs a value"):
        await WorkflowEnvironment.start_local(dev_server_extra_args=words)


@pytest.mark.parametrize("words", [["--archive", "{}"], ["--archive={}"]])
async def test_a_server_in_process_has_one(tmp_path: pathlib.Path, words: list[str]):
    arguments = [word.format(tmp_path) for word in words]
    async with await WorkflowEnvironment.start_local(dev_server_extra_args=arguments) as env:
        handle = await env.client.start_workflow("Any", id="order", task_queue="q")
        await handle.terminate()
        listed = await archived(env.client, 1)

    assert [info.execution.workflow_id for info in listed] == ["order"]
    assert len(list((tmp_path / "history").iterdir())) == 1
