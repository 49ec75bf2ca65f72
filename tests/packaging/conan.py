"""The Conan package: made of what is built, and used by a project that finds it through Conan."""

import argparse
import os
import pathlib
import shutil
import subprocess


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--recipe", type=pathlib.Path, required=True)
    parser.add_argument("--conan", type=pathlib.Path, required=True)
    parser.add_argument("--scratch", type=pathlib.Path, required=True)
    parser.add_argument("--compiler", required=True)
    args = parser.parse_args()

    shutil.rmtree(args.scratch, ignore_errors=True)
    env = {**os.environ, "CONAN_HOME": str(args.scratch / "home"), "CXX": args.compiler}

    def conan(*arguments: object) -> str:
        command = [str(args.conan), *(str(argument) for argument in arguments)]
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    conan("profile", "detect")
    said = conan(
        "export-pkg", args.recipe, "-c", f"user.chimera:build_folder={args.build}",
        "-c", f"tools.cmake.cmake_layout:test_folder={args.scratch / 'test'}",
    )  # fmt: skip
    assert "loaded 1 workflow and 1 activity" in said, said


main()
