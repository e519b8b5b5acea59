"""The few facts of a module's binary that the tables need: bytes of code, functions, exported functions."""

import functools
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Facts:
    """`size` and `code` (the code section's content) in bytes; `exports` are the names of the exported functions."""

    size: int
    code: int
    functions: int
    exports: list

    def code_mb(self) -> float:
        """MB of code."""
        return self.code / 1e6


def leb(data, at):
    """An unsigned LEB128 number, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def exported(data, at) -> list:
    """The names of the functions in an export section that begins there."""
    names = []
    count, at = leb(data, at)
    for _ in range(count):
        length, at = leb(data, at)
        name, kind = data[at : at + length], data[at + length]
        _, at = leb(data, at + length + 1)
        if kind == 0:
            names.append(name.decode())
    return names


@functools.cache
def facts(file: Path) -> Facts:
    """Reads the sections' headers; the file is a valid module."""
    data = file.read_bytes()
    found, at = Facts(len(data), 0, 0, []), 8
    while at < len(data):
        kind = data[at]
        size, at = leb(data, at + 1)
        if kind == 7:
            found.exports = exported(data, at)
        if kind == 10:
            found.code, found.functions = size, leb(data, at)[0]
        at += size
    return found
