"""Which format a path holds: by its extension and, where that leaves a choice, by a look at the first value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from interlock.core.errors import InputError, Problem, did_you_mean
from interlock.data.formats import autointent
from interlock.data.formats.argilla import ARGILLA
from interlock.data.formats.autointent import AUTOINTENT
from interlock.data.formats.csv_table import CSV
from interlock.data.formats.files import check_regular, opened
from interlock.data.formats.hugging_face import HUGGING_FACE, cached
from interlock.data.formats.json_array import JSON_ARRAY
from interlock.data.formats.json_lines import JSON_LINES
from interlock.data.formats.json_stream import elements
from interlock.data.formats.label_studio import LABEL_STUDIO
from interlock.data.formats.parquet import PARQUET
from interlock.data.formats.rasa import RASA
from interlock.data.formats.row import Asked, Format, RawRow

_ALL = (JSON_LINES, CSV, PARQUET, JSON_ARRAY, HUGGING_FACE, RASA, AUTOINTENT, LABEL_STUDIO, ARGILLA)
FORMATS: dict[str, Format] = {one.name: one for one in _ALL}
_BY_SUFFIX = {suffix: one for one in reversed(_ALL) for suffix in one.suffixes}  # the first of several wins
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_FIRST_KEY = re.compile(r'\{\s*"(\w+)"\s*:\s*\[')


def raw_rows(path: Path, *, format_name: str | None = None, asked: Asked | None = None) -> Iterator[RawRow]:
    """Yield every row of ``path`` with its place, or the problem that stands in its place.

    Args:
        path: a file, a dataset folder, or the name of a dataset in the cache of the Hugging Face Hub.
        format_name: one of ``FORMATS``; told by extension and content without it.
        asked: options of imports, and where they count what they leave out.

    Raises:
        InputError: the file is missing, unreadable, empty, or of no known kind.
    """
    if not path.exists() and _HUB_NAME.fullmatch(str(path)) and (folder := cached(str(path))):
        path = folder
    if not path.is_dir():
        check_regular(path)
    chosen = named(format_name) if format_name is not None else _told(path)
    if path.is_dir() != (chosen is HUGGING_FACE):
        kind = "a folder" if chosen is HUGGING_FACE else "a file"
        raise InputError(f"{path} is not {kind}, as {chosen.name} is")
    count = 0
    try:
        for row in chosen.read(path, asked or Asked()):
            count += 1
            yield row
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if not count:
        raise InputError(f"{path} has no rows", todo="Give a file with at least one labelled message.")


def named(name: str) -> Format:
    """Return the format called ``name``.

    Raises:
        InputError: there is none.
    """
    if name not in FORMATS:
        raise InputError(f"no format is called {name!r}{did_you_mean(name, list(FORMATS))}: {', '.join(FORMATS)}")
    return FORMATS[name]


def format_for(path: Path) -> Format:
    """Return the format that a new file at ``path`` has by its extension.

    Raises:
        InputError: no format has this extension.
    """
    name = path.name.removesuffix(".gz")
    for suffix, one in _BY_SUFFIX.items():
        if name.endswith(suffix):
            return one
    known = f"a name ending in {', '.join(_BY_SUFFIX)}, or a folder"
    raise InputError(
        f"{path} is of no known kind",
        [Problem(str(path), "", known, path.name)],
        todo=f"Rename it, or name its format: {', '.join(FORMATS)}.",
    )


def _told(path: Path) -> Format:
    if path.is_dir():
        return HUGGING_FACE
    one = format_for(path)
    return _by_content(path) if one is JSON_ARRAY else one


def _by_content(path: Path) -> Format:
    """Tell what a ``.json`` file holds."""
    with opened(path) as file:
        start = file.read(1000).lstrip()
    if not start.startswith("["):
        found = _FIRST_KEY.match(start)
        return AUTOINTENT if found and found[1] in autointent.KEYS else JSON_LINES
    for _, _, value in islice(elements(path), 1):
        keys = value.keys() if isinstance(value, dict) else ()
        if "data" in keys and ("annotations" in keys or "predictions" in keys):
            return LABEL_STUDIO
        if ("fields" in keys and "responses" in keys) or (
            "annotation" in keys and ("inputs" in keys or "text" in keys)
        ):
            return ARGILLA
    return JSON_ARRAY
