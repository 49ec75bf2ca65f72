"""Histories of other SDKs: TypeScript's replay with the same program; of Go's, what Python has no call for is named.

The program is the one that the official package replays the same files with.
"""

import importlib.util
import pathlib
import sys

import pytest

from chimera import workflow
from chimera.client import WorkflowHistory
from chimera.worker import Replayer, UnsandboxedWorkflowRunner

HISTORIES = pathlib.Path(__file__).resolve().parents[2] / "replay/golden/histories"


def program() -> list[type]:
    path = HISTORIES / "typescript/replay.py"
    spec = importlib.util.spec_from_loader("golden_typescript", loader=None, origin=str(path))
    assert spec
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    source = path.read_text().replace("temporalio", "chimera").replace("asyncio.run(main())", "")
    exec(compile(source, str(path), "exec"), module.__dict__)
    return [module.Rich, module.Kid]


def history_of(path: pathlib.Path) -> WorkflowHistory:
    read = WorkflowHistory.from_json("x", path.read_text())
    started = read.events[0].workflow_execution_started_event_attributes
    return WorkflowHistory(started.workflow_id, read.events)


@pytest.mark.parametrize("name", ["kid_cancelled", "kid_signal", "rich_1"])
async def test_typescript_replays(name: str):
    replayer = Replayer(workflows=program(), workflow_runner=UnsandboxedWorkflowRunner())

    await replayer.replay_workflow(history_of(HISTORIES / f"typescript/{name}.json"))


@workflow.defn(name="Rich")
class Rich:
    @workflow.run
    async def run(self, _round: int) -> None:
        await workflow.wait_condition(lambda: False)


@pytest.mark.parametrize("sdk", ["go", "java"])
async def test_a_marker_that_python_has_no_call_for_is_named(sdk: str):
    replayer = Replayer(workflows=[Rich], workflow_runner=UnsandboxedWorkflowRunner())

    with pytest.raises(workflow.NondeterminismError) as error:
        await replayer.replay_workflow(history_of(HISTORIES / f"{sdk}/rich_1.json"))

    assert "marker Version" in str(error.value)
    assert "make no such marker" in str(error.value)
