"""Parquet, and the tables that Hugging Face datasets are made of: columns of named types, class numbers as names."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from interlock.core.canonical import parse_json
from interlock.core.errors import InputError, MissingExtraError, Problem
from interlock.data.formats.files import check_regular
from interlock.data.formats.row import FIELDS, Asked, Format, RawRow, Row, nothing

SLICE_ROWS = 100_000  # decoded at a time
BUFFER_ROWS = 64  # turned into Python objects at a time
Classes = Mapping[str, list[str]]  # column -> names, for columns stored as class numbers


def read(path: Path, asked: Asked) -> Iterator[RawRow]:
    """Yield a row a record; nulls are absent."""
    del asked
    yield from parquet_rows(path, {})


def parquet_rows(path: Path, classes: Classes) -> Iterator[RawRow]:
    """Yield the rows of a Parquet file; class names come from ``classes``, else from the file's own metadata."""
    pl = _polars()
    check_regular(path)
    classes = classes or _own_classes(_guarded(lambda: pl.read_parquet_metadata(path), path))
    count = _guarded(lambda: pl.scan_parquet(path).select(pl.len()).collect().item(), path)
    for start in range(0, count, SLICE_ROWS):
        part = pl.scan_parquet(path).slice(start, SLICE_ROWS)
        frame = _guarded(part.collect, path)
        yield from _rows(frame, str(path), classes, start)


def arrow_rows(path: Path, classes: Classes) -> Iterator[RawRow]:
    """Yield the rows of an Arrow stream file, which is read whole."""
    pl = _polars()
    check_regular(path)
    yield from _rows(_guarded(lambda: pl.read_ipc_stream(path), path), str(path), classes, 0)


def class_names(features: Any) -> dict[str, list[str]]:
    """Return column -> class names of what ``datasets`` says of its columns."""
    found: dict[str, list[str]] = {}
    for name, spec in features.items() if isinstance(features, dict) else ():
        inner = spec.get("feature", spec) if isinstance(spec, dict) else spec
        names = inner.get("names") if isinstance(inner, dict) and inner.get("_type") == "ClassLabel" else None
        if isinstance(names, list) and all(isinstance(one, str) for one in names):
            found[name] = names
    return found


def _own_classes(metadata: Mapping[str, str]) -> dict[str, list[str]]:
    try:
        return class_names(parse_json(metadata["huggingface"])["info"]["features"])
    except (KeyError, TypeError, ValueError):
        return {}


def _guarded(work: Callable[[], Any], path: Path) -> Any:
    """Do what may fail on hostile bytes, where the decoder panics as well as raises."""
    pl = _polars()
    try:
        return work()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise InputError(
            f"{path} cannot be read", [Problem(str(path), "", f"a whole {path.suffix[1:]} file", said)]
        ) from error


def _rows(frame: Any, where: str, classes: Classes, start: int) -> Iterator[RawRow]:
    for number, row in enumerate(frame.iter_rows(named=True, buffer_size=BUFFER_ROWS), start=start + 1):
        out = {key: value for key, value in row.items() if value is not None}
        for column, names in classes.items():
            if column in out:
                out[column] = _named(out[column], names)
        yield f"{where}:{number}", out


def _named(value: Any, names: list[str]) -> Any:
    if isinstance(value, list):
        return [_named(one, names) for one in value]
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else value


def write(rows: Iterable[Row], path: Path) -> None:
    """Write one table; columns that no row has are left out."""
    kept = list(rows)
    write_table(kept, path, columns=[name for name in FIELDS if any(name in row for row in kept)])


def write_table(rows: Sequence[Row], path: Path, *, columns: Sequence[str]) -> None:
    """Write one table of the given columns, which appears only when it is whole."""
    pl = _polars()
    kinds = dict.fromkeys(FIELDS, pl.String) | {"labels": pl.List(pl.String), "weight": pl.Float64}
    values = {name: [_cell(row.get(name)) for row in rows] for name in columns}
    frame = pl.DataFrame(values, schema={name: kinds[name] for name in columns})
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    scratch = Path(name)
    try:
        frame.write_parquet(scratch)
        scratch.chmod(0o644)
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


def _polars() -> Any:
    try:
        import polars as pl
    except ImportError as error:
        raise MissingExtraError("Parquet and dataset folders", "train", missing="polars") from error
    return pl


PARQUET = Format("parquet", (".parquet",), read, write, nothing)
