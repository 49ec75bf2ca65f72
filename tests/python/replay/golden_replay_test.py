"""The golden histories through Python's Replayer: their own programs, and changed ones that must not fit.

What the official core says to each is in replay.json. Its texts differ from ours; the verdicts must not.
"""

import importlib.util
import json
import pathlib
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

from chimera import workflow
from chimera.client import WorkflowHistory
from chimera.worker import Replayer, UnsandboxedWorkflowRunner

SETS = pathlib.Path(__file__).resolve().parents[2] / "replay/golden/sets"
# Histories of these sets do not replay in the official core, whose local activities end otherwise in
# replay than live. Ours do.
MENDED = {"la_timeout", "la_heartbeat_time"}


def program(name: str) -> types.ModuleType:
    """The set's program, which was written for the official package."""
    path = SETS / name / "workflow.py"
    module_name = f"golden_{name}"
    spec = importlib.util.spec_from_loader(module_name, loader=None, origin=str(path))
    assert spec
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    source = path.read_text().replace("temporalio", "chimera")
    exec(compile(source, str(path), "exec"), module.__dict__)
    return module


def cases() -> Iterator[Any]:
    for folder in sorted(SETS.iterdir()):
        for kind, _, head in json.loads((folder / "replay.json").read_text()):
            if kind == "replay":
                name = f"{folder.name}-{head['file']}-{'-'.join(head['workflows'])}"
                yield pytest.param(folder.name, head, id=name)


@pytest.mark.parametrize("name, head", cases())
async def test_replay(name: str, head: dict[str, Any]):
    module = program(name)
    runs = {run["file"]: run for run in json.loads((SETS / name / "runs.json").read_text())}
    workflow_id = runs[head["file"]]["workflowId"]
    history = WorkflowHistory.from_json(workflow_id, (SETS / name / head["file"]).read_text())
    classes = [getattr(module, each) for each in head["workflows"]]
    replayer = Replayer(
        workflows=classes, workflow_runner=UnsandboxedWorkflowRunner(), namespace="default"
    )

    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)

    expected = None if name in MENDED else head.get("failure")
    assert (result.replay_failure is not None) == (expected is not None), result.replay_failure
    if expected and expected.startswith("[TMPRL1100]"):
        assert isinstance(result.replay_failure, workflow.NondeterminismError)
        assert "[TMPRL1100]" in str(result.replay_failure)
