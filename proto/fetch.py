#!/usr/bin/env python3
"""Fetches the pinned API definitions (.proto files) from the package registry.

The definitions are data of the published Python package; none is kept in this repository. The wheel is
checked against the sha256 in pin.json before anything is unpacked from it.

usage: fetch.py DEST [--local FOLDER]
  DEST    gets api/, cloud/ (for Python only) and golden/ with the .proto files, and a stamp file.
  FOLDER  a folder laid out like the package's protos/ folder, taken instead of the download.
"""

import argparse
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dest", type=pathlib.Path)
    parser.add_argument("--local", type=pathlib.Path)
    args = parser.parse_args()
    pin = json.loads((HERE / "pin.json").read_text())
    stamp = args.dest / "stamp"
    mark = f"{pin['sha256']} {hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()} {args.local or ''}"
    if stamp.exists() and stamp.read_text() == mark:
        return
    shutil.rmtree(args.dest, ignore_errors=True)
    args.dest.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        if args.local:
            files = {str(p.relative_to(args.local)): p.read_bytes() for p in args.local.rglob("*.proto")}
        else:
            with zipfile.ZipFile(download(pin, pathlib.Path(scratch))) as wheel:
                root = pin["root"] + "/"
                files = {n[len(root):]: wheel.read(n) for n in wheel.namelist() if n.startswith(root)}
    count = 0
    for name, text in files.items():
        target = wanted(name)
        if target is not None:
            path = args.dest / target
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
            count += 1
    if count == 0:
        sys.exit(f"proto/fetch.py: no .proto file found in {args.local or pin['package']}")
    stamp.write_text(mark)


if __name__ == "__main__":
    main()
