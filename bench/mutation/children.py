"""Child processes that import the package from a folder of its own and run tests."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HUNG = -9  # what a child that was ended returns


def started(work: Callable[[], int], folder: Path) -> int:
    """Start ``work`` in a child that imports the package from ``folder``, and return the child's id."""
    child = os.fork()
    if child == 0:
        sys.path.insert(0, str(folder))
        code = 3
        try:
            code = work()
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(code)
    return child


def waited(child: int, *, most: float) -> int:
    """Return a child's exit code; one that takes more than ``most`` seconds is ended."""
    until = time.monotonic() + most
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return HUNG


def run_tests(where: Sequence[str], plugin: object, *more: str) -> int:
    """Run tests in silence and return pytest's exit code."""
    with open(os.devnull, "w", encoding="utf-8") as nothing:  # noqa: PTH123 - a device
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
    quick = ["-q", *more, "-p", "no:randomly", "-p", "no:cacheprovider", "-o", "filterwarnings="]
    tree = ["--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml")]
    return int(pytest.main([*quick, *tree, *where], plugins=[plugin]))
