"""Every command of the official CLI answers here as on the genuine server, but for what the table below says."""

import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys

import pytest

from conftest import ROOT, Peers, serving

FOLDER = ROOT / "tests/parity/official_cli"
sys.path.append(str(FOLDER))
import compare  # noqa: E402  A folder of programs.
import main as commands  # noqa: E402

pytestmark = pytest.mark.peer

NOT_BUILT = "not_built"  # The file of the commands that wait for their feature.
# Lines that may differ: of which commands, which lines, and why.
EXPECTED = [
    # What server 1.29 does otherwise than 1.32, which is followed here.
    ("workflow describe", "[sS]tateTransitionCount", "the start of an activity is a transition of its own"),
    ("namespace", "workerHeartbeats", "heartbeats of workers are switched off"),
    ("worker (list|describe)", ".", "lists of workers are switched off"),
    ("attribute list", "Name  Type|TemporalReportedProblems|TemporalUsedWorker|TemporalExternal", "attributes of 1.32"),
    ("activity-pause: workflow describe", "currentRetryInterval|nextAttemptScheduleTime", "shown of a paused activity"),
    ("update-options .*(coefficient|attempts|task-queue '')", ".", "wrong retry policies are taken"),
    ("CliCount = ", ".", "a number is compared with text"),
    ("workflow-options: workflow (update-options .*pinned|show|reset with)", ".", "pins to versions that nobody has"),
    ("workflow-options: workflow describe", "SearchAttributes", "empty attributes of versions"),
    ("workflow list .*json", r"searchAttributes = \{\}", "left out if there are none"),
    ("workflow delete .*run", ".", "a run is deleted twice"),
    ("^deployments.*worker deployment", "not found|no Worker Deployment|be deleted|went wrong", "other words"),
    ("--command-timeout", "querying workflow failed|interrupted", "the caller's clock against the server's"),
    # What is not there yet, or is otherwise on purpose (docs/differences.md).
    ("cluster", "[sS]erverVersion|1.32.0|1.29.1|Nexus-go-sdk|nexus", "its version and gaps"),
    ("cluster (list|upsert)", "httpAddress|embedded server|remote cluster", "no HTTP, no other cluster"),
    ("namespace", "ustomSearchAttributeAliases", "search attributes have no second names"),
    ("namespace list", ".", "in the order of ids, which are chance"),
    ("namespace-id nonsense", ".", "an id that is none is not found"),
    ("describe", "pendingWorkflowTask", "a closed run describes nothing as pending"),
    ("activity-pause-started: workflow describe", "SearchAttributes|TemporalPauseInfo", "what has ended is not paused"),
    ("search-attribute create .*--name ''", ".", "a name that is none is refused"),
    ("task-queue list-partition", ".", "queues have one partition"),
    ("task-queue describe .*--legacy-mode", "rate_per_second|task_id_block|ack_level|read_level|backlog_count_hint",
     "tasks have no numbers, and nobody's limit is none"),
    ("^delete: ", ".", "deleted at once, not after seconds"),
    ("namespace-deletion: workflow list", "invalid state: Deleted|is not found", "its caches forget later"),
    ("show .*-o json", "firstWorkflowTaskBackoff", "a run that follows waits for nothing"),
]


def answers_of(kind: str, peers: Peers, folder: pathlib.Path) -> compare.Answers:
    out = folder / f"{kind}.json"
    with serving(kind, peers, folder, *commands.SERVER_ARGUMENTS) as address:
        program = [sys.executable, str(FOLDER / "main.py"), address, "--cli", str(peers.temporal)]
        program += ["--worker-python", str(peers.python), "--without", NOT_BUILT, "--out", str(out)]
        done = subprocess.run(program, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
    answers: compare.Answers = json.loads(out.read_text())
    return answers


def unexpected(command: str, changed: list[str]) -> bool:
    patterns = [re.compile(line) for of, line, _ in EXPECTED if re.search(of, command)]
    lines = [line[1:] for line in changed if line[0] in "-+"]
    return not all(any(pattern.search(line) for pattern in patterns) for line in lines)


@pytest.mark.timeout(600)  # A thousand processes, on each of two servers at a time.
def test_every_command_answers_as_the_genuine_server_does(peers: Peers, tmp_path: pathlib.Path) -> None:
    with concurrent.futures.ThreadPoolExecutor() as pool:
        ours, genuine = pool.map(lambda kind: answers_of(kind, peers, tmp_path), ["embedded", "genuine"])

    assert len(genuine) > 800
    differing = [
        "\n".join([command, *changed])
        for command, changed in compare.differences(ours, genuine)
        if unexpected(command, changed)
    ]
    assert not differing, f"{len(differing)} of {len(genuine)} ('-' here, '+' there):\n" + "\n\n".join(differing)
