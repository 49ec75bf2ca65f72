"""Prints what a package lets its users write, as JSON: run once with temporalio and once with chimera.

{"MODULE.NAME": {"MEMBER": {"kind": "...", "parameters": {"NAME": "kind, default"}}}}; member "" is the name itself.
"""

import enum
import importlib
import inspect
import json
import sys

MODULES = """activity client common converter envconfig exceptions nexus plugin runtime service testing types worker
    workflow""".split()


def default_of(parameter: inspect.Parameter) -> str:
    """What stands for it in both packages: objects have a text of their own, and only their type counts."""
    value = parameter.default
    if value is parameter.empty:
        return "required"
    if isinstance(value, (bool, int, str, list, tuple, dict, enum.Enum, type(None))):
        return repr(value)
    return type(value).__name__


def callable_form(kind: str, function: object) -> dict:
    kind += " async" if inspect.iscoroutinefunction(function) else ""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {"kind": kind, "parameters": {}}
    return {"kind": kind, "parameters": {p.name: f"{p.kind.name.lower()}, {default_of(p)}" for p in found}}


def member_form(owner: type, name: str) -> dict:
    member = inspect.getattr_static(owner, name)
    if isinstance(owner, enum.EnumMeta) and isinstance(getattr(owner, name), enum.Enum):
        return {"kind": f"value {getattr(owner, name).value!r}", "parameters": {}}
    if isinstance(member, (staticmethod, classmethod)):
        return callable_form(type(member).__name__, getattr(owner, name))
    if inspect.isfunction(member):
        return callable_form("method", member)
    return {"kind": "attribute", "parameters": {}}


def form_of(value: object) -> dict:
    if not inspect.isclass(value):
        return {"": callable_form("function", value) if callable(value) else {"kind": "value", "parameters": {}}}
    members = {name: member_form(value, name) for name in dir(value) if not name.startswith("_")}
    return {"": callable_form("class", value), **members}


def main(package: str) -> None:
    found = {}
    for module_name in MODULES:
        module = importlib.import_module(f"{package}.{module_name}")
        for name in getattr(module, "__all__", None) or dir(module):
            value = getattr(module, name)
            home = str(getattr(value, "__module__", ""))
            if not name.startswith("_") and not inspect.ismodule(value) and home.startswith(package):
                found[f"{module_name}.{name}"] = form_of(value)
    json.dump(found, sys.stdout)


main(sys.argv[1])
