"""A process that asks for short turns gets them, or is told that it does not."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from interlock.serve import turns

ASK = """
from interlock.serve.turns import ask_for_short_turns
print(ask_for_short_turns(0.0002))
print(open("/proc/self/sched").read())
"""
RELEASE = tuple(int(part) for part in platform.release().partition("-")[0].split(".")[:2] if part.isdigit())


@pytest.mark.skipif(sys.platform != "linux" or RELEASE < (6, 12), reason="turns are for Linux 6.12 and later")
@pytest.mark.skipif(not Path("/proc/self/sched").exists(), reason="the kernel does not show its scheduling")
def test_the_kernel_notes_the_turn_that_was_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True).stdout
    shown = [line.split()[-1] for line in done.splitlines() if line.startswith("se.slice")]

    assert done.startswith("True\n")
    assert shown in (["200000"], [])  # not every kernel shows it


def test_another_system_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not turns.ask_for_short_turns(0.0002)


def test_another_processor_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "pdp11")
    assert not turns.ask_for_short_turns(0.0002)
