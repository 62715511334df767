"""YAML from strangers: scalars stay the text that was written, with their lines; no aliases, bounded depth."""

from __future__ import annotations

from typing import Any

import yaml

from interlock.core.canonical import MAX_DEPTH
from interlock.core.errors import InputError, Problem

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Scalar(str):
    """A plain value as written, the line it begins at, and whether it is a block of lines (``|`` or ``>``)."""

    __slots__ = ("block", "line")
    line: int
    block: bool


class _Open:
    """A collection whose end has not come yet."""

    def __init__(self, *, mapping: bool) -> None:
        self.made: Any = {} if mapping else []
        self.key: Scalar | None = None


def parse_yaml(text: str, *, where: str) -> Any:
    """Return the mappings, lists and ``Scalar`` values of one document; ``None`` for an empty one.

    Raises:
        InputError: not YAML, an alias (a few of them can expand to gigabytes), a key twice or no text, too deep.
    """
    stack: list[_Open] = []
    root: Any = None
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            line = event.start_mark.line + 1 if event.start_mark else 1
            made: Any
            if isinstance(event, yaml.AliasEvent):
                raise _refused(where, line, "no aliases (*name)", f"*{event.anchor}"[:80])
            if isinstance(event, yaml.DocumentStartEvent) and root is not None:
                raise _refused(where, line, "one document", "a second one")
            if isinstance(event, yaml.CollectionStartEvent):
                if len(stack) == MAX_DEPTH:
                    raise _refused(where, line, f"at most {MAX_DEPTH} levels", "a deeper one")
                stack.append(_Open(mapping=isinstance(event, yaml.MappingStartEvent)))
                continue
            if isinstance(event, yaml.CollectionEndEvent):
                made = stack.pop().made
            elif isinstance(event, yaml.ScalarEvent):
                made = _scalar(event, line)
            else:
                continue
            if stack:
                _add(stack[-1], made, where, line)
            else:
                root = made
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _refused(where, mark.line + 1 if mark else 1, "valid YAML", _said(error)) from error
    return root


def _said(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or error).splitlines()[0][:120]


def _scalar(event: yaml.ScalarEvent, line: int) -> Scalar:
    made = Scalar(event.value)
    made.line = line
    made.block = event.style in {"|", ">"}
    return made


def _add(parent: _Open, made: Any, where: str, line: int) -> None:
    if isinstance(parent.made, list):
        parent.made.append(made)
    elif parent.key is not None:
        parent.made[parent.key] = made
        parent.key = None
    elif not isinstance(made, Scalar):
        raise _refused(where, line, "a key of text", "a collection")
    elif made in parent.made:
        raise _refused(where, line, "each key once", f"the key {str(made)[:80]!r} twice")
    else:
        parent.key = made


def _refused(where: str, line: int, expected: str, got: str) -> InputError:
    return InputError(f"{where} cannot be read", [Problem(f"{where}:{line}", "", expected, got)])
