"""Every name of temporalio that Chimera has takes what the official one takes, in the same way."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "parity/signatures.py"
# Members of features that this version does not have: Nexus clients, system Nexus.
NOT_IN = {
    "client.Client": {
        "count_nexus_operations", "create_nexus_client", "get_nexus_operation_handle", "list_nexus_operations",
    },
    "worker.WorkflowOutboundInterceptor": {"start_signal_with_start_workflow"},
}  # fmt: skip
LEAST_NAMES = 500

pytestmark = pytest.mark.peer


def forms_of(python: str, package: str) -> dict[str, dict[str, dict]]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)} if package == "chimera" else None
    done = subprocess.run([python, str(PROGRAM), package], capture_output=True, text=True, timeout=60, env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def differences(name: str, official: dict[str, dict], ours: dict[str, dict]) -> list[str]:
    wrong = []
    for member, form in official.items():
        where = f"{name}.{member}".rstrip(".")
        if member not in ours:
            if member not in NOT_IN.get(name, ()):
                wrong.append(f"{where} is missing")
            continue
        if form["kind"] != ours[member]["kind"]:
            wrong.append(f"{where} is {ours[member]['kind']}, officially {form['kind']}")
        parameters = ours[member]["parameters"]
        for parameter, official_form in form["parameters"].items():
            if parameters.get(parameter) != official_form:
                wrong.append(f"{where}({parameter}) is {parameters.get(parameter)}, officially {official_form}")
        for parameter in parameters.keys() - form["parameters"].keys():
            if parameters[parameter].endswith("required") and not parameters[parameter].startswith("var_"):
                wrong.append(f"{where}({parameter}) is required, and officially not there")
    return wrong


def test_what_exists_has_the_official_form(peers):
    official = forms_of(str(peers.python), "temporalio")
    ours = forms_of(sys.executable, "chimera")
    shared = official.keys() & ours.keys()

    assert len(shared) >= LEAST_NAMES
    wrong = [line for name in sorted(shared) for line in differences(name, official[name], ours[name])]
    assert not wrong, "\n".join(wrong)
    assert not {name for name, members in NOT_IN.items() if members & ours[name].keys()}, "NOT_IN names what is there"
