"""Where in the user's code a command is issued, for reports of nondeterminism.

Noted in replay alone, as nothing else can disagree with a history. A place is looked up once and then known by its
code object and instruction.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from types import CodeType, FrameType

_PACKAGE = str(Path(__file__).parents[1]) + "/"
_CALLS = _PACKAGE + "workflow/"
_STANDARD = sysconfig.get_paths()["stdlib"] + "/"

_ours: dict[str, bool] = {}
# The code object is kept, so that no other gets its id.
_known: dict[tuple[int, int], tuple[CodeType, str]] = {}


def caller(intercepted: bool) -> str:
    """The innermost place on the stack that is neither the SDK's nor asyncio's, within the activation; empty if there
    is none. With interceptors, behind the call of chimera.workflow that went through them."""
    frame: FrameType | None = sys._getframe(2)
    found = ""
    while frame is not None:
        code = frame.f_code
        name = code.co_filename
        ours = _ours.get(name)
        if ours is None:
            ours = _ours[name] = _is_ours(name)
        if not ours:
            if not found:
                known = _known.get((id(code), frame.f_lasti))
                found = known[1] if known is not None else _note(frame, code)
            if not intercepted:
                break
        elif code.co_name == "activate":
            break
        elif found and name.startswith(_CALLS):
            found = ""
        frame = frame.f_back
    return found


def _is_ours(name: str) -> bool:
    if name.startswith(("<frozen ", _PACKAGE)):
        return True
    return name.startswith(_STANDARD) and "-packages/" not in name


def _note(frame: FrameType, code: CodeType) -> str:
    function = getattr(code, "co_qualname", code.co_name).replace("<locals>.", "")
    text = f"{Path(code.co_filename).name}:{frame.f_lineno} in {function}"
    text = text.encode(errors="replace").decode()
    _known[id(code), frame.f_lasti] = (code, text)
    return text
