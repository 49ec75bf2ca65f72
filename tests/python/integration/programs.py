"""Programs of the build as processes, whose output is read while they run."""

import os
import pathlib
import queue
import re
import signal
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[3]
CHIMERA = pathlib.Path(os.environ.get("CHIMERA_PROGRAM", ROOT / "build/release/chimera"))
PATIENCE = 90


class Program:
    """A process whose output is read while it runs."""

    def __init__(self, *command: str | pathlib.Path | int, cwd: pathlib.Path | None = None) -> None:
        self.process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.seen = ""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def until(self, pattern: str) -> re.Match[str]:
        """Waits for a line that matches."""
        while True:
            line = self.lines.get(timeout=PATIENCE)
            assert line is not None, f"ended without {pattern!r}:\n{self.seen}"
            self.seen += line
            if match := re.search(pattern, line):
                return match

    def end(self) -> tuple[int, str]:
        """Waits for the end; exit code and all output."""
        while (line := self.lines.get(timeout=PATIENCE)) is not None:
            self.seen += line
        return self.process.wait(PATIENCE), self.seen

    def tell(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def stop(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGTERM)
        return self.end()
