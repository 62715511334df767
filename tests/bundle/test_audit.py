"""What the interpreter itself sees while a bundle is opened and decides: nothing is unpickled, run or connected to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

FORBIDDEN = (
    "pickle.find_class",
    "marshal.loads",
    "exec",
    "compile",
    "import",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "subprocess.Popen",
    "socket.connect",
    "socket.bind",
    "socket.getaddrinfo",
    "ctypes.dlopen",
)
SCRIPT = """
import json, sys
from interlock.bundle.open import open_bundle
folder, trust = sys.argv[1:]
open_bundle(folder, trust).decide("yes sure")  # everything that is imported late is imported now
seen, opened, watching = [], [], True

def hook(event, given):
    if watching:
        seen.append(event)
        if event == "open":
            opened.append(str(given[0]))

sys.addaudithook(hook)
found = open_bundle(folder, trust).decide("no never").label
watching = False
print(json.dumps({"label": found, "seen": sorted(set(seen)), "opened": opened}))
"""


def test_opening_and_deciding_runs_no_code_of_the_bundle(signed: Path, trust_file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, signed, trust_file], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    names = {path.name for path in signed.rglob("*")} | {".", signed.name, trust_file.name}

    assert found["label"] == "no"
    assert "open" in found["seen"]  # the hook was at work
    assert not set(found["seen"]) & set(FORBIDDEN)
    assert {Path(path).name or "." for path in found["opened"] if not path.isdigit()} <= names  # digits: open already
