"""How long a process holds the processor at a stretch, where Linux can be told. Knows no server.

Since 6.12 the scheduler lets a task that asks for short turns begin soon after it wakes, instead of when the turn of
another is over; its share of the processor stays the same (Documentation/scheduler/sched-eevdf.rst).
"""

from __future__ import annotations

import ctypes
import platform
import struct
import sys

SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}  # numbers of the system call
ATTRIBUTES = struct.Struct("=IIQiIQQQ")  # size, policy (0: normal), flags, nice, priority, runtime, deadline, period


def ask_for_short_turns(seconds: float) -> bool:
    """Ask for turns of ``seconds`` (0.0001 to 0.1) for this thread and those it starts; return whether that was heard.

    What wakes often and does little then waits less for what computes all the time. An older kernel takes no notice.
    """
    number = SCHED_SETATTR.get(platform.machine()) if sys.platform == "linux" else None
    if number is None:
        return False
    wanted = ATTRIBUTES.pack(ATTRIBUTES.size, 0, 0, 0, 0, round(1e9 * seconds), 0, 0)
    return bool(ctypes.CDLL(None).syscall(number, 0, wanted, 0) == 0)
