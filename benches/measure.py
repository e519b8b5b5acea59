"""Running a process and reading what it cost, the statistics, and the tables."""

import json
import math
import os
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass


@dataclass
class Run:
    """One finished process. CPU and wall in seconds, peak resident memory in MB."""

    code: int
    out: bytes
    err: bytes
    cpu: float
    wall: float
    peak: float

    def complaint(self) -> str:
        """What a failed command said, in a few words."""
        lines = [line.strip() for line in self.err.decode(errors="replace").splitlines() if line.strip()]
        # Node shows the source first; most others begin with the message.
        named = [line for line in lines if "Error: " in line]
        return f"exit code {self.code}: {(named or lines or ['no message'])[0][:160]}"


class Failed(Exception):
    """A command that did not report what it was to measure."""


def process(command, stdin=b"", env=None, cwd=None, limit=None) -> Run:
    """Runs a command to its end; CPU is that of all its threads, user and system. `env` is added to ours. After `limit` seconds
    the command is killed."""
    env = dict(os.environ, **env) if env else None
    with tempfile.TemporaryFile() as feed, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        feed.write(stdin)
        feed.seek(0)
        start = time.monotonic()
        child = subprocess.Popen([str(word) for word in command], stdin=feed, stdout=out, stderr=err, env=env, cwd=cwd)
        killer = threading.Timer(limit, child.kill) if limit else None
        if killer:
            killer.daemon = True
            killer.start()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        if killer:
            killer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        cpu = usage.ru_utime + usage.ru_stime
        return Run(child.returncode, out.read(), err.read(), cpu, wall, usage.ru_maxrss / 1024)


def report(command, env=None, limit=None) -> dict:
    """The JSON object that a command prints, with the process's own CPU as `process_cpu`. Raises Failed."""
    done = process(command, env=env, limit=limit)
    try:
        found = json.loads(done.out) if done.code == 0 else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Failed(done.complaint())
    found["process_cpu"] = done.cpu
    return found


class Best(dict):
    """The least value seen for each key."""

    def keep(self, key, value):
        if value is not None:
            self[key] = min(value, self.get(key, value))


def ratio(value, base) -> float | None:
    """value / base, or None where one of them is missing."""
    return value / base if value and base else None


def geomean(values) -> float | None:
    """The geometric mean of the values that are there."""
    values = [value for value in values if value]
    return math.exp(sum(math.log(value) for value in values) / len(values)) if values else None


def worst(values) -> float | None:
    """The largest of the values that are there."""
    return max((value for value in values if value), default=None)


def show(value) -> str:
    """A cell: three significant digits, `-` for nothing."""
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


class Table:
    """A titled table that prints as Markdown, which is readable in a terminal too."""

    def __init__(self, title, columns, note=""):
        self.title, self.columns, self.note, self.rows = title, list(columns), note, []

    def add(self, *cells):
        self.rows.append([show(cell) for cell in cells])

    def text(self) -> str:
        widths = [max(len(row[i]) for row in [self.columns, *self.rows]) for i in range(len(self.columns))]
        # The first column is text and starts at the left; numbers end at the right.
        aligned = [
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
            for row in [self.columns, *self.rows]
        ]
        rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
        lines = ["| " + " | ".join(row) + " |" for row in [aligned[0], rule, *aligned[1:]]]
        return "\n".join([f"## {self.title}", "", *([self.note, ""] if self.note else []), *lines, ""])
