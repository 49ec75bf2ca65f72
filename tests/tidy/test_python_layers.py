"""The layers of the Python package (arrows.py): nothing imports upward, no modules import each other in a circle."""

import arrows
import python_imports
from python_imports import Import, circles, imports, imports_in, modules, room_of


def edges_of(found: tuple[Import, ...]) -> dict[str, set[str]]:
    known = modules()
    edges: dict[str, set[str]] = {name: set() for name in known}
    for entry in found:
        if entry.of in known and entry.of != entry.by:
            edges[entry.by].add(entry.of)
    return edges


def test_every_room_is_listed():
    rooms = {room_of(name) for name in modules()} - {""}
    assert rooms == set(arrows.PYTHON), "arrows.py lists what is not there, or not what is"


def test_the_layers_have_no_circle():
    rooms = {room: {to for to in below if to in arrows.PYTHON} for room, below in arrows.PYTHON.items()}
    assert not circles(rooms)


def test_no_import_goes_upward():
    wrong = []
    for entry in imports():
        room, target = room_of(entry.by), room_of(entry.of)
        if target in ("", room) or target in arrows.PYTHON.get(room, ()):
            continue
        if not (entry.only_types and (room, target) in arrows.PYTHON_TYPES_UPWARD):
            path = modules()[entry.by]
            wrong.append(f"{path}:{entry.line} imports {entry.of}: {room} may only import {arrows.PYTHON[room]}")
    assert not wrong, "\n".join(wrong)


def test_no_modules_import_each_other_in_a_circle():
    """Inside functions and by name at first use counts, too: a circle that only shows late is one all the same."""
    edges = edges_of(tuple(entry for entry in imports() if not entry.only_types))
    found = circles(edges)
    assert not found, "\n".join(" <-> ".join(group) for group in found)


def test_types_alone_make_a_circle_within_one_room_only():
    """A handle names its client and the client its handles; across rooms not even that."""
    upward = arrows.PYTHON_TYPES_UPWARD
    edges = edges_of(tuple(e for e in imports() if (room_of(e.by), room_of(e.of)) not in upward))
    wrong = [group for group in circles(edges) if len({room_of(name) for name in group}) > 1]
    assert not wrong, "\n".join(" <-> ".join(group) for group in wrong)


def test_exceptions_are_needed():
    used = {(room_of(e.by), room_of(e.of)) for e in imports() if e.only_types}
    assert set(arrows.PYTHON_TYPES_UPWARD) <= used


def test_imports_are_found_wherever_they_stand():
    source = """
from typing import TYPE_CHECKING
from chimera import _bridge
from chimera.common import RetryPolicy
from . import _client
if TYPE_CHECKING:
    import chimera.worker
else:
    inputs = LazyModule("chimera.client._inputs")
def f():
    import chimera.runtime as runtime
class C:
    async def g(self):
        from ..service import RPCError
__getattr__, __dir__ = late_names(globals(), ["chimera.client._schedule"])
"""
    found = [(i.of, i.only_types) for i in imports_in("chimera.client._x", "chimera/client/_x.py", source)]

    assert found == [
        ("chimera._bridge", False),
        ("chimera.common", False),
        ("chimera.client._client", False),
        ("chimera.worker", True),
        ("chimera.client._inputs", False),
        ("chimera.runtime", False),
        ("chimera.service", False),
        ("chimera.client._schedule", False),
    ]


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == [["b", "c"]]
    assert circles({"a": {"b"}, "b": set()}) == []
    assert python_imports.room_of("chimera.client._handle") == "client"
