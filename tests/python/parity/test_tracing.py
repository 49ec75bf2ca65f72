"""Traces through our package and the official one: whichever has the worker or the client, the spans are the same."""

import json
import os
import subprocess
import sys
import uuid

import pytest

from conftest import ROOT, Peers

PATIENCE = 60
PROGRAM = str(ROOT / "tests/parity/official_python/tracing.py")
pytestmark = [pytest.mark.peer, pytest.mark.timeout(4 * PATIENCE)]


def spans(peers: Peers, address: str, worker: str, client: str) -> list[str]:
    """All spans of one workflow, each with its parent, what it links to, and the names of its attributes."""
    pythons = {"chimera": sys.executable, "temporalio": str(peers.python)}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    environments = {"chimera": environment, "temporalio": {**os.environ, "PYTHONPATH": ""}}
    name = f"traced-{uuid.uuid4().hex}"

    def start(package: str, role: str) -> subprocess.Popen[str]:
        command = [pythons[package], PROGRAM, package, role, address, name]
        return subprocess.Popen(command, env=environments[package], stdin=-1, stdout=-1, text=True)

    serving = start(worker, "worker")
    try:
        calling = start(client, "client")
        told = calling.communicate(timeout=PATIENCE)[0]
        told += serving.communicate(timeout=PATIENCE)[0]
        assert (calling.returncode, serving.returncode) == (0, 0), told
    finally:
        serving.kill()
    found = [json.loads(line) for line in told.splitlines()]
    names = {span: name for name, _, _, span, *_ in found} | {None: "nobody"}
    return sorted(
        f"{names[parent]} > {kind} {name} -> {[names[link] for link in links]} {attributes}"
        for name, kind, _, _, parent, links, attributes in found
    )


def test_spans_are_the_same_whoever_makes_them(peers: Peers, address: str):
    official = spans(peers, address, "temporalio", "temporalio")

    assert len(official) == 14
    for worker, client in (("chimera", "temporalio"), ("temporalio", "chimera"), ("chimera", "chimera")):
        assert spans(peers, address, worker, client) == official, f"worker {worker}, client {client}"
