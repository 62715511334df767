"""Text from data put into Markdown so that it stays text: nothing in it can open a heading, a cell or a tag."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from interlock.data.audit.mask import masked

NAME = 80  # characters of a name that a page shows
MEANING = 2000  # characters of a definition that a page shows
LISTED = 20  # names a sentence lists before it counts the rest
TO_FILL = "*to fill in*"
_RUN = re.compile(r"`+")
_ACTIVE = re.compile(r"[\\`*\[\]{}<>#|~!&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[-+=]|^\d+(?=[.)])")


def message(text: str, *, cell: bool = False) -> str:
    """Return a message as a code span, masked; ``cell`` is for a table's."""
    return code(masked(text), cell=cell)


def code(text: str, *, cell: bool = False) -> str:
    """Return one line of ``text`` as a code span: only there does Markdown leave every character as it is."""
    line = " ".join(text.split())
    longest = max((len(run) for run in _RUN.findall(line)), default=0)
    pad = " " if longest else ""
    fence = "`" * (longest + 1)
    span = f"{fence}{pad}{line or ' '}{pad}{fence}"
    return span.replace("|", "\\|") if cell else span  # tables are cut at bars before code spans are seen


def name(text: str, *, cell: bool = True) -> str:
    """Return the name of a label, slice or route as a code span."""
    return code(masked(text, limit=NAME), cell=cell)


def plain(text: str, *, limit: int = MEANING) -> str:
    """Return one line of prose whose characters mean themselves."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())[:limit]
    return _ACTIVE.sub(lambda found: "".join(f"\\{char}" if not char.isdigit() else char for char in found[0]), line)


def names(some: Sequence[str]) -> str:
    """Return names in a sentence, the first of them if there are many."""
    shown = ", ".join(name(one, cell=False) for one in some[:LISTED])
    return f"{shown} and {len(some) - LISTED} more" if len(some) > LISTED else shown


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return the lines of a table; its cells are safe already."""
    lines = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(str(cell) for cell in line)} |" for line in lines]
