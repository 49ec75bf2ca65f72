"""Fails on an #include or import that goes against the architecture's arrows (arrows.py)."""

import re

import arrows
from tree import ROOT, tracked

INCLUDE = re.compile(r'^\s*#include\s+["<]([^">]+)[">]', re.M)


def room_of(path: str) -> str | None:
    """The room of a file or of an include path; None for code outside the rooms (tests, libraries)."""
    return max((r for r in arrows.ALLOWED if path.startswith(r + "/")), key=len, default=None)


def allowed(room: str, include: str) -> bool:
    target = room_of(include)
    if include.startswith("chimera/"):
        target = "sdk-cpp/include"
    return target is None or target == room or target in arrows.ALLOWED[room]


def test_rooms_include_only_what_they_may():
    wrong = []
    for path in tracked(".cc", ".h"):
        room = room_of(path)
        if room is None:
            continue
        for include in INCLUDE.findall((ROOT / path).read_text()):
            if not allowed(room, include):
                wrong.append(f"{path} includes {include}: {room} may only include {arrows.ALLOWED[room] or 'itself'}")
            for prefix, rooms in arrows.LIBRARIES.items():
                if include.startswith(prefix) and room not in rooms:
                    wrong.append(f"{path} includes {include}: only {sorted(rooms)} may see {prefix}")
    assert not wrong, "\n".join(wrong)


def test_public_headers_are_light():
    wrong = []
    for path in tracked(".h"):
        if path.startswith("sdk-cpp/include/"):
            for include in INCLUDE.findall((ROOT / path).read_text()):
                if include.startswith(arrows.FORBIDDEN_IN_PUBLIC_HEADERS):
                    wrong.append(f"{path} shows {include} to users")
    assert not wrong, "\n".join(wrong)


def test_the_costliest_library_is_compiled_once():
    """CLI11 takes as long as the largest file of the core, wherever it is included."""
    users = [p for p in tracked(".cc", ".h") if re.search(r'#include ["<]CLI/', (ROOT / p).read_text())]
    assert users == ["cli/command_line.cc"]


def test_server_and_worker_read_the_protocol_independently():
    """What makes the two check each other: no shared reading of history."""
    for path in tracked(".cc", ".h"):
        if path.startswith("server/"):
            text = (ROOT / path).read_text()
            assert "core/workflow" not in text and "core/machines" not in text and "core/history" not in text, path
