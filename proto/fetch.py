#!/usr/bin/env python3
"""Fetches the pinned definitions of messages from the package registry: Temporal's API, and OpenTelemetry's OTLP.

The definitions are data of the published Python packages; none is kept in this repository. The wheels are
checked against the sha256 in pin.json before anything is unpacked from them.

usage: fetch.py DEST [--local FOLDER]
  DEST    gets api/, cloud/ (for Python only) and golden/ with the .proto files, otlp.binpb, a FileDescriptorSet, and a
          stamp file.
  FOLDER  a folder laid out like the API package's protos/ folder, with OTLP's opentelemetry/proto/ beside what it has,
          taken instead of the downloads.
"""

import argparse
import ast
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
# Source folder in the package -> our folder. google/protobuf comes with protoc itself.
SETS = {"api_upstream": "api", "testsrv_upstream": "api", "google": "api/google", "grpc": "api/grpc", "local": "golden",
        "api_cloud_upstream": "cloud", "protoc-gen-openapiv2": "cloud/protoc-gen-openapiv2"}
# protoc 3.21 writes invalid C++ for export (`namespace namespace`), and nothing imports it.
LEFT_OUT = ("google/protobuf/", "temporal/api/export/", "protoc-gen-openapiv2/")
# What is sent to a collector of traces and metrics; a file comes after those that it imports.
OTLP = ("common/v1/common", "resource/v1/resource", "trace/v1/trace", "metrics/v1/metrics",
        "collector/trace/v1/trace_service", "collector/metrics/v1/metrics_service")


def wanted(name: str) -> pathlib.PurePosixPath | None:
    """Where a file of the package goes below DEST, or None."""
    top, _, rest = name.partition("/")
    if top not in SETS or not rest.endswith(".proto") or any(rest.startswith(p) for p in LEFT_OUT):
        return None
    return pathlib.PurePosixPath(SETS[top]) / rest


def download(pin: dict, folder: pathlib.Path) -> pathlib.Path:
    spec = f"{pin['package']}=={pin['version']}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary=:all:", "--platform", pin["platform"], "--python-version", "3.11",
               "--dest", str(folder), spec]
    if subprocess.run(command).returncode != 0:
        sys.exit(f"proto/fetch.py: pip could not download {spec} from the package registry; check the network "
                 "and pip's configuration, or give a folder with the definitions: -DCHIMERA_PROTO_SOURCE=FOLDER")
    wheel = next(folder.glob("*.whl"))
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != pin["sha256"]:
        sys.exit(f"proto/fetch.py: {wheel.name} has sha256 {digest}, but proto/pin.json pins {pin['sha256']}; "
                 "the registry served another file than the one this version was made for")
    return wheel


def described(module: bytes) -> bytes:
    """The FileDescriptorProto that a generated Python module registers."""
    for node in ast.walk(ast.parse(module)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) \
                and node.func.attr == "AddSerializedFile":
            return ast.literal_eval(node.args[0])
    sys.exit("proto/fetch.py: a module of OTLP's package registers no descriptor; it was made by another protoc than "
             "this version knows")


def descriptor_set(files: list[bytes]) -> bytes:
    """A FileDescriptorSet: field 1, each with its length before it."""
    out = bytearray()
    for file in files:
        out.append(0x0a)
        length = len(file)
        while length > 0x7f:
            out.append(length & 0x7f | 0x80)
            length >>= 7
        out.append(length)
        out += file
    return bytes(out)


def fetch_api(pin: dict, local: pathlib.Path | None, dest: pathlib.Path, scratch: pathlib.Path) -> None:
    if local:
        files = {str(p.relative_to(local)): p.read_bytes() for p in local.rglob("*.proto")}
    else:
        with zipfile.ZipFile(download(pin, scratch)) as wheel:
            root = pin["root"] + "/"
            files = {n[len(root):]: wheel.read(n) for n in wheel.namelist() if n.startswith(root)}
    count = 0
    for name, text in files.items():
        target = wanted(name)
        if target is not None:
            path = dest / target
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
            count += 1
    if count == 0:
        sys.exit(f"proto/fetch.py: no .proto file found in {local or pin['package']}")


def fetch_otlp(pin: dict, local: pathlib.Path | None, out: pathlib.Path, scratch: pathlib.Path) -> None:
    if local:
        names = [f"{pin['root']}/{name}.proto" for name in OTLP]
        if subprocess.run(["protoc", f"-I{local}", f"--descriptor_set_out={out}", *names]).returncode != 0:
            sys.exit(f"proto/fetch.py: {local} lacks OTLP's definitions; put its {pin['root']} there")
        return
    with zipfile.ZipFile(download(pin, scratch)) as wheel:
        out.write_bytes(descriptor_set([described(wheel.read(f"{pin['root']}/{name}_pb2.py")) for name in OTLP]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dest", type=pathlib.Path)
    parser.add_argument("--local", type=pathlib.Path)
    args = parser.parse_args()
    pin = json.loads((HERE / "pin.json").read_text())
    stamp = args.dest / "stamp"
    sums = " ".join(each["sha256"] for each in pin.values())
    mark = f"{sums} {hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()} {args.local or ''}"
    if stamp.exists() and stamp.read_text() == mark:
        return
    shutil.rmtree(args.dest, ignore_errors=True)
    args.dest.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        fetch_api(pin["api"], args.local, args.dest, pathlib.Path(scratch))
    with tempfile.TemporaryDirectory() as scratch:
        fetch_otlp(pin["otlp"], args.local, args.dest / "otlp.binpb", pathlib.Path(scratch))
    stamp.write_text(mark)


if __name__ == "__main__":
    main()
