#!/usr/bin/env python3
"""Runs protoc over the fetched definitions and mends what protoc 3.21 gets wrong.

usage: generate.py --protos DIR --otlp FILE --out DIR [--golden DIR] [--python DIR [--cloud DIR]]
  C++ messages (no service stubs) go to OUT; with --python, Python messages go to DIR as package chimera.api, those of
  the cloud's API, too.

The C++ namespace of package temporal.api.namespace.v1 becomes temporal::api::namespace_::v1, because protoc
3.21 emits the keyword. The proto package itself keeps its name: descriptors and gRPC paths depend on it.

OTLP's package becomes chimera_otlp, its files' folder, too: protobuf knows each name once in a process, and a program
may have OpenTelemetry's own library beside ours. Their bytes are the same.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

CPP_FIXES = ((re.compile(r"namespace namespace \{"), "namespace namespace_ {"),
             (re.compile(r"temporal::api::namespace::"), "temporal::api::namespace_::"))


def run_protoc(arguments: list[str], given: bytes = b"") -> bytes:
    result = subprocess.run(["protoc", *arguments], input=given, stdout=subprocess.PIPE)
    if result.returncode != 0:
        sys.exit("proto/generate.py: protoc failed; the messages above name the file")
    return result.stdout


def protoc(protos: list[pathlib.Path], root: pathlib.Path, arguments: list[str]) -> None:
    run_protoc([f"-I{root}", "-I/usr/include", *arguments, *(str(p.relative_to(root)) for p in protos)])


def write_if_changed(path: pathlib.Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def generate_cpp(protos: list[pathlib.Path], root: pathlib.Path, out: pathlib.Path, arguments: list[str]) -> None:
    """Through a folder of its own, so that what did not change is not compiled again."""
    with tempfile.TemporaryDirectory() as raw:
        protoc(protos, root, [f"--cpp_out={raw}", *arguments])
        take_over_cpp(pathlib.Path(raw), out)


def take_over_cpp(raw: pathlib.Path, out: pathlib.Path) -> None:
    for path in raw.rglob("*.pb.*"):
        text = path.read_text()
        for pattern, replacement in CPP_FIXES:
            text = pattern.sub(replacement, text)
        target = out / path.relative_to(raw)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_if_changed(target, text)


def generate_otlp(descriptors: pathlib.Path, out: pathlib.Path) -> None:
    """From descriptors, which protoc itself writes as text, in which names are changed, and reads back."""
    form = ["-I/usr/include", "google/protobuf/descriptor.proto"]
    text = run_protoc(["--decode=google.protobuf.FileDescriptorSet", *form], descriptors.read_bytes()).decode()
    text = text.replace("opentelemetry/proto/", "chimera_otlp/").replace("opentelemetry.proto.", "chimera_otlp.")
    names = re.findall(r'^  name: "(.+)"$', text, re.M)
    with tempfile.TemporaryDirectory() as raw:
        renamed = pathlib.Path(raw, "renamed.binpb")
        renamed.write_bytes(run_protoc(["--encode=google.protobuf.FileDescriptorSet", *form], text.encode()))
        run_protoc([f"--descriptor_set_in={renamed}", f"--cpp_out={raw}", *names])
        take_over_cpp(pathlib.Path(raw), out)


def python_module(name: str) -> str:
    """Where a generated module lives: temporal.api.x -> chimera.api.x, others below dependencies."""
    if name.startswith("temporal.api."):
        return "chimera.api." + name[len("temporal.api."):]
    return "chimera.api.dependencies." + name


# A field that is called self clashes with the object in protoc's stubs.
SELF_FIELD = re.compile(r"def __init__\(self, (?=[^\n]*\bself: )")
IMPORT = re.compile(
    r"^from (temporal\.api[\w.]*|nexusannotations[\w.]*|protoc_gen_openapiv2[\w.]*|google\.(?:api|rpc)[\w.]*) import",
    re.M)


def generate_python(root: pathlib.Path, cloud: pathlib.Path | None, out: pathlib.Path) -> None:
    """Python messages with imports rewritten to chimera.api; the serialized descriptors stay untouched."""
    raw = out / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    protos = [p for p in sorted(root.rglob("*.proto")) if "grpc" not in p.relative_to(root).parts[:1]]
    protoc(protos, root, [f"--python_out={raw}", f"--pyi_out={raw}"])
    if cloud:
        protoc(sorted(cloud.rglob("*.proto")), cloud, [f"-I{root}", f"--python_out={raw}", f"--pyi_out={raw}"])
    for path in sorted(raw.rglob("*_pb2.py*")):
        dotted = ".".join(path.relative_to(raw).with_suffix("").parts)
        target = out / pathlib.Path(*python_module(dotted).split(".")).with_suffix(path.suffix)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = IMPORT.sub(lambda m: f"from {python_module(m.group(1))} import", path.read_text())
        text = SELF_FIELD.sub("def __init__(self_, ", text)
        write_if_changed(target, text)
    for package in sorted({p.parent for p in (out / "chimera").rglob("*_pb2.py")}):
        write_package_init(package, out, [root, cloud] if cloud else [root])


# What a service's folder has beside its messages. Users of these have grpcio; others must not pay for its import.
STUBS = """from typing import TYPE_CHECKING, Any

from chimera._grpc_stubs import define

from .service_pb2 import DESCRIPTOR

if TYPE_CHECKING:
    {declarations}
else:
    globals().update(define(DESCRIPTOR, __name__))
"""
LATE_STUBS = """from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .service_pb2_grpc import {names}
else:
    def __getattr__(name):
        if name in ({quoted}):
            from . import service_pb2_grpc
            return getattr(service_pb2_grpc, name)
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
"""


def write_stubs(package: pathlib.Path, out: pathlib.Path, roots: list[pathlib.Path]) -> str:
    """The module of gRPC classes of a folder's service, and how the folder hands them on; "" where there is none."""
    inside = pathlib.Path("temporal", package.relative_to(out / "chimera"), "service.proto")
    texts = [(root / inside).read_text() for root in roots if (root / inside).exists()]
    services = [name for text in texts for name in re.findall(r"^service (\w+)", text, re.M)]
    names = [name for s in services for name in (f"{s}Stub", f"{s}Servicer", f"add_{s}Servicer_to_server")]
    if not names:
        return ""
    write_if_changed(package / "service_pb2_grpc.py",
                     STUBS.format(declarations="\n    ".join(f"{name}: Any" for name in names)))
    return LATE_STUBS.format(names=", ".join(f"{n} as {n}" for n in names), quoted=", ".join(f'"{n}"' for n in names))


def write_package_init(package: pathlib.Path, out: pathlib.Path, roots: list[pathlib.Path]) -> None:
    """Each folder re-exports the messages of its modules, as the official package does."""
    names = []
    for module in sorted(package.glob("*_pb2.py")):
        stub = module.with_suffix(".pyi").read_text()
        found = re.findall(r"^class (\w+)\(", stub, re.M)
        if "v1" in package.parts and found:
            names.append(f"from .{module.stem} import " + ", ".join(f"{n} as {n}" for n in found))
    write_if_changed(package / "__init__.py", "\n".join(names) + "\n" + write_stubs(package, out, roots))
    while package != out:
        package = package.parent
        if package != out and not (package / "__init__.py").exists() and package.name != "chimera":
            (package / "__init__.py").write_text("")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--protos", type=pathlib.Path, required=True)
    parser.add_argument("--otlp", type=pathlib.Path, required=True)
    parser.add_argument("--golden", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--python", type=pathlib.Path)
    parser.add_argument("--cloud", type=pathlib.Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    generate_cpp(sorted(args.protos.rglob("*.proto")), args.protos, args.out,
                 [f"--descriptor_set_out={args.out / 'descriptors.binpb'}", "--include_imports"])
    generate_otlp(args.otlp, args.out)
    if args.golden:
        generate_cpp(sorted(args.golden.rglob("*.proto")), args.golden, args.out / "golden", [f"-I{args.protos}"])
    if args.python:
        generate_python(args.protos, args.cloud, args.python)


if __name__ == "__main__":
    main()
