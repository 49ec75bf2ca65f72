"""Runs the commands in commands/*.txt by the official CLI, and writes what each of them answers.

    python main.py ADDRESS --cli PROGRAM --worker-python PYTHON [--only SCENARIO ...] [--without FILE ...] [--out FILE]

The server needs the namespaces and search attributes of SERVER_ARGUMENTS.

A file's sections, "== NAME", are scenarios: they run beside each other, the lines of one after each other. A line is a
command without the program's name, after words that say how it runs:

    both         once for its text, and once more with -o json
    json         with -o json
    as NAME      its JSON output's runId is $NAME from here on
    until WHAT   again until its output has the regular expression; what it said is kept only if it never has
    behind NAME  without waiting for it
    join NAME    (alone) the end of that command
    types TEXT   with the text, a line, as its standard input

$queue is the worker's task queue, $idle one of the scenario's own that has no worker. The folder in which a scenario's
commands run, $home, has copies of the files in files/.
"""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shlex
import string
import subprocess
import tempfile
import time

FOLDER = pathlib.Path(__file__).parent
NAMESPACES = ["cli-empty", "cli-listed", "cli-changed"]
ATTRIBUTES = ["CliColour=Keyword", "CliCount=Int"]
SERVER_ARGUMENTS = [part for name in NAMESPACES for part in ("--namespace", name)]
SERVER_ARGUMENTS += [part for attribute in ATTRIBUTES for part in ("--search-attribute", attribute)]
QUEUE = "cli-commands"
COMMAND_SECONDS = 20
UNTIL_SECONDS = 15
AT_ONCE = 6
# What the genuine server says now and then while it has much to do.
BUSY = ["rate limit exceeded", "Namespace default is not found"]


@dataclasses.dataclass
class Command:
    words: list[str]
    both: bool = False
    until: str = ""
    run_name: str = ""
    behind: str = ""
    join: str = ""
    types: str | None = None


def parsed(line: str) -> Command:
    words = shlex.split(line)
    command = Command(words)
    while words:
        if words[0] == "both":
            command.both = True
        elif words[0] == "json":
            words.extend(["-o", "json"])
        elif words[0] == "as":
            words.extend(["-o", "json"])
            command.run_name = words.pop(1)
        elif words[0] in ("until", "behind", "join", "types"):
            setattr(command, words[0], words.pop(1))
        else:
            break
        words.pop(0)
    return command


def scenarios(without: list[str]) -> dict[str, list[Command]]:
    """All of them, in the order of their files, but those of the files that are named."""
    found: dict[str, list[Command]] = {}
    for file in sorted((FOLDER / "commands").glob("*.txt")):
        for line in [] if file.stem in without else file.read_text().splitlines():
            if line.startswith("== "):
                lines = found.setdefault(line[3:].strip(), [])
            elif line.strip() and not line.startswith("#"):
                lines.append(parsed(line))
    return found


def seen(command: Command, answer: tuple[int | str, str, str]) -> bool:
    return re.search(command.until, answer[1] + answer[2], re.DOTALL) is not None


class Scenario:
    """The state of one scenario that runs."""

    def __init__(self, name: str, cli: str, address: str, home: str) -> None:
        self.name = name
        self.cli = cli
        self.home = home
        self.names = {"queue": QUEUE, "idle": f"idle-{name}", "home": home, "address": address}
        self.environment = {"PATH": os.environ["PATH"], "HOME": home, "TEMPORAL_ADDRESS": address, "USER": "cli"}
        self.behind: dict[str, tuple[str, subprocess.Popen[str]]] = {}
        self.answers: dict[str, dict] = {}

    def run(self, commands: list[Command]) -> dict[str, dict]:
        for command in commands:
            if command.join:
                line, process = self.behind.pop(command.join)
                self.keep(line, self.ended(process))
                continue
            words = [string.Template(word).safe_substitute(self.names) for word in command.words]
            if command.behind:
                self.behind[command.behind] = (shlex.join(command.words), self.begun(words, None))
                continue
            answer = self.answer(command, words)
            if not command.until or not seen(command, answer):
                self.keep(shlex.join(command.words), answer)
            if command.both:
                self.keep(shlex.join(command.words) + " -o json", self.answer(command, [*words, "-o", "json"]))
        return self.answers

    def keep(self, line: str, answer: tuple[int | str, str, str]) -> None:
        key, times = f"{self.name}: {line}", 2
        while key in self.answers:
            key, times = f"{self.name}: {line} ({times})", times + 1
        self.answers[key] = dict(zip(("exit_code", "stdout", "stderr"), answer))

    def answer(self, command: Command, words: list[str]) -> tuple[int | str, str, str]:
        end = time.monotonic() + UNTIL_SECONDS
        while True:
            answer = self.ended(self.begun(words, command.types), command.types)
            busy = any(text in answer[2] for text in BUSY)
            if (seen(command, answer) and not busy) or time.monotonic() > end:
                break
        if command.run_name:
            try:
                self.names[command.run_name] = json.loads(answer[1])["runId"]
            except (ValueError, KeyError):
                self.names[command.run_name] = "no-run-id"
        return answer

    def begun(self, words: list[str], types: str | None) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [self.cli, *words], env=self.environment, cwd=self.home, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL if types is None else subprocess.PIPE,
        )

    def ended(self, process: "subprocess.Popen[str]", types: str | None = None) -> tuple[int | str, str, str]:
        try:
            out, err = process.communicate(None if types is None else types + "\n", timeout=COMMAND_SECONDS)
            return process.returncode, out, err
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            return "still running", out, err


def run_one(name: str, commands: list[Command], cli: str, address: str) -> dict[str, dict]:
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder) / "home"
        home.mkdir()
        for file in (FOLDER / "files").iterdir():
            (home / file.name).write_bytes(file.read_bytes())
        return Scenario(name, cli, address, str(home)).run(commands)


def run_all(address: str, cli: str, worker_python: str, only: list[str], without: list[str]) -> dict[str, dict]:
    wanted = {name: commands for name, commands in scenarios(without).items() if not only or name in only}
    worker = subprocess.Popen([worker_python, str(FOLDER / "worker.py"), address, QUEUE], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    try:
        assert worker.stdout is not None and worker.stdout.readline() == "ready\n"
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            done = [pool.submit(run_one, name, commands, cli, address) for name, commands in wanted.items()]
            return {key: answer for scenario in done for key, answer in scenario.result().items()}
    finally:
        worker.communicate(timeout=COMMAND_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", help="HOST:PORT of the server")
    parser.add_argument("--cli", required=True, help="the official CLI")
    parser.add_argument("--worker-python", required=True, help="a Python that has temporalio")
    parser.add_argument("--only", nargs="*", default=[], help="names of scenarios; without it, all")
    parser.add_argument("--without", nargs="*", default=[], help="names of files in commands/ to leave out")
    parser.add_argument("--out", help="a file for the answers; without it, they are printed")
    arguments = parser.parse_args()
    answers = run_all(arguments.address, arguments.cli, arguments.worker_python, arguments.only, arguments.without)
    text = json.dumps(answers, indent=1)
    if arguments.out:
        pathlib.Path(arguments.out).write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
