"""The Debian package: made by CPack, unpacked into an empty root, and used by way of pkg-config."""

import argparse
import os
import pathlib
import shlex
import shutil
import subprocess


def run(*command: object, **kwargs) -> str:
    done = subprocess.run(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--scratch", type=pathlib.Path, required=True)
    parser.add_argument("--compiler", required=True)
    args = parser.parse_args()

    shutil.rmtree(args.scratch, ignore_errors=True)
    args.scratch.mkdir(parents=True)
    run("cpack", "--config", args.build / "CPackConfig.cmake", "-B", args.scratch)
    (package,) = args.scratch.glob("*.deb")
    root = args.scratch / "root"
    run("dpkg-deb", "-x", package, root)

    depends = run("dpkg-deb", "-f", package, "Depends")
    for library in ("libgrpc++", "libprotobuf", "libsqlite3", "libssl"):
        assert library in depends, depends
    assert "libchimera" not in depends, depends

    env = {**os.environ, "PKG_CONFIG_PATH": str(root / "usr/lib/pkgconfig"), "LD_LIBRARY_PATH": str(root / "usr/lib")}
    flags = shlex.split(run("pkg-config", "--cflags", "chimera", env=env))
    libs = shlex.split(run("pkg-config", "--libs", "chimera", env=env))
    program, shop = args.scratch / "program", args.scratch / "libshop.so"
    run(args.compiler, *flags, args.source / "program.cc", "-o", program, *libs)
    run(args.compiler, *flags, "-shared", "-fPIC", args.source / "shop.cc", "-o", shop)
    said = run(program, shop, env=env)
    assert "loaded 1 workflow and 1 activity" in said, said

    version = run("pkg-config", "--modversion", "chimera", env=env).strip()
    assert version == run("dpkg-deb", "-f", package, "Version").strip()
    assert version in run(root / "usr/bin/chimera", "--version")


main()
