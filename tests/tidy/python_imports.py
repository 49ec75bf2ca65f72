"""The imports of the Python package, read from its sources: at the top of a module and inside functions, those that
only type checkers see, and the modules that are loaded by name at first use."""

import ast
import dataclasses
import functools
from collections.abc import Iterator

from tree import ROOT, tracked

SOURCES = "sdk-python/"
PACKAGE = "chimera"
LOADS_BY_NAME = {"LazyModule", "late_names", "_late_names", "import_module"}


@dataclasses.dataclass(frozen=True)
class Import:
    by: str
    """The module whose source it is."""
    of: str
    """The module, as far as it exists in the sources, else its name: chimera.api.common.v1, chimera._bridge."""
    line: int
    only_types: bool
    """Below `if TYPE_CHECKING:`."""


def room_of(module: str) -> str:
    """The package or module directly below `chimera`; "" for `chimera` itself."""
    return module.split(".")[1] if "." in module else ""


@functools.cache
def modules() -> dict[str, str]:
    """Module -> its file."""
    paths = [p for p in tracked(".py") if p.startswith(f"{SOURCES}{PACKAGE}/")]
    return {
        p.removeprefix(SOURCES).removesuffix(".py").removesuffix("/__init__").replace("/", "."): p for p in paths
    }


@functools.cache
def imports() -> tuple[Import, ...]:
    known = modules()
    return tuple(found for name, path in known.items() for found in imports_in(name, path, (ROOT / path).read_text()))


def imports_in(name: str, path: str, source: str) -> Iterator[Import]:
    package = name if path.endswith("__init__.py") else name.rpartition(".")[0]

    def visit(node: ast.AST, only_types: bool) -> Iterator[Import]:
        if isinstance(node, ast.If) and ast.unparse(node.test).removeprefix("typing.") == "TYPE_CHECKING":
            for part in node.body:
                yield from visit(part, True)
            for part in node.orelse:
                yield from visit(part, only_types)
            return
        if isinstance(node, (ast.stmt, ast.expr)):
            for target in targets_of(node, package):
                if target.split(".")[0] == PACKAGE:
                    yield Import(name, target, node.lineno, only_types)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, only_types)

    yield from visit(ast.parse(source), False)


def targets_of(node: ast.AST, package: str) -> list[str]:
    """The modules that this statement or call loads."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        source = ".".join([*base, *([node.module] if node.module else [])])
        return [as_module(source, alias.name) for alias in node.names]
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in LOADS_BY_NAME:
        names = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        return [n for n in names if n.startswith(f"{PACKAGE}.")]
    return []


def as_module(source: str, name: str) -> str:
    """`from source import name`: the name is a module, or it is in one."""
    whole = f"{source}.{name}"
    return whole if whole in modules() or source == PACKAGE else source


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that reach each other, each sorted."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        stack.append(module)
        for target in edges[module]:
            if target not in number:
                visit(target)
            if target in stack:
                lowest[module] = min(lowest[module], lowest[target])
        if lowest[module] == number[module]:
            at = stack.index(module)
            group = stack[at:]
            del stack[at:]
            if len(group) > 1 or module in edges[module]:
                found.append(sorted(group))

    for module in edges:
        if module not in number:
            visit(module)
    return found
