"""Wrong requests and commands are refused with the genuine server's code and words."""

import json
import pathlib
import re
import subprocess

import pytest

from conftest import ROOT, Peers, serving

PROGRAM_SECONDS = 900  # For the genuine server's schedules, batches and deployments, on a busy machine.
pytestmark = [pytest.mark.peer, pytest.mark.timeout(PROGRAM_SECONDS + 120)]

# In memory the genuine server loses all that it has when a call is given up at the wrong time.
IN_A_FILE = ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=off", "--db-filename"]

# What server 1.32 answered where 1.29, the peer here, answers otherwise: schedules, batches, deployments, options of
# workflows. Either will do.
NEWER = json.loads((ROOT / "tests/parity/official_python/answers_132.json").read_text())
# Where the answers differ on purpose: what of the case, and why.
ON_PURPOSE = {
    r" nan$": "what is no number is refused; there it is taken",
    r"CreateSchedule: .*(schedule|action|start_workflow) clear": "a schedule without an action is refused",
    r"CreateSchedule: .*retry_policy: ": "what an action starts is checked when the schedule is made",
    r"CreateSchedule: .*timezone_name long": "no such zone; there it is a file whose name is too long",
    r"UpdateWorkflowExecutionOptions: .*priority: \w+ (long|-1)": "as server 1.29 says it of a start",
    r"next_page_token": "a damaged token is refused as such; the genuine server answers UNKNOWN",
    r"ResetWorkflowExecution: reset_reapply_type": "an unknown one is refused; there it is an internal error",
    r"lifecycle_stage [03]$": "the genuine server does not wait for a stage that it does not know",
    r"#activity: .*(task_queue|retry_policy)": "as server 1.32 says it",
    r"StartWorkflowExecution: workflow_id long": "as server 1.32 says it",
    r"ById: workflow_id clear": "without a workflow it is an activity that stands alone, as by server 1.32",
    r"PauseActivity: request_id long": "another request for a paused activity is refused, as by server 1.32",
    r"DescribeNamespace: id": "an unknown id is not found; there it is an unknown error",
    r"inherit_build_id|use_workflow_build_id": "only versioning by build ids, which is refused, has a use for them",
    r"versioning": "as server 1.32 says it",
}
INTERNAL = ("INTERNAL", "UNKNOWN", "UNAVAILABLE")


def answers_of(address: str, peers: Peers, file: pathlib.Path) -> dict[str, list[str]]:
    program = ROOT / "tests/parity/official_python/wrong_requests.py"
    done = subprocess.run(
        [str(peers.python), str(program), address, str(file)], capture_output=True, text=True, timeout=PROGRAM_SECONDS
    )
    assert done.returncode == 0, done.stderr
    return json.loads(file.read_text())


def alike(genuine: list[str], ours: list[str]) -> bool:
    if genuine == ours or genuine[0] == ours[0] in ("OK", "DEADLINE_EXCEEDED"):
        return True
    # Nobody answered in time; which side of the genuine server's connection says so is chance.
    if (genuine[0], ours[0]) == ("CANCELLED", "DEADLINE_EXCEEDED"):
        return True
    # Server 1.32 names the cause before some texts of commands, and 1.29 does not.
    return genuine[0] == ours[0] and ours[1].endswith(": " + genuine[1])


def test_wrong_requests_are_refused_alike(peers: Peers, tmp_path: pathlib.Path):
    answers = {}
    for kind in ("embedded", "genuine"):
        in_file = [*IN_A_FILE, str(tmp_path / "genuine.db")] if kind == "genuine" else []
        with serving(kind, peers, tmp_path, *in_file) as address:
            answers[kind] = answers_of(address, peers, tmp_path / f"{kind}.json")

    differing = []
    for case, genuine in answers["genuine"].items():
        ours = answers["embedded"][case]
        if alike(genuine, ours) or genuine[0] in INTERNAL or (case in NEWER and alike(NEWER[case], ours)):
            continue
        if not any(re.search(pattern, case) for pattern in ON_PURPOSE):
            differing.append(f"{case}\n  genuine: {genuine}\n  here:    {ours}")
    assert len(answers["genuine"]) > 1000
    assert not differing, f"{len(differing)} of {len(answers['genuine'])}:\n" + "\n".join(differing)
