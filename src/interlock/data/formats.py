"""Files to raw rows: JSON lines, CSV, Parquet, Hugging Face dataset folders. Knows nothing of what a row means."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from interlock.core.canonical import parse_json, read_json
from interlock.core.errors import InputError, MissingExtraError, Problem

MAX_ROW_BYTES = 1_000_000  # a labelled message is short; a longer line is a broken file
RawRow = tuple[str, dict[str, Any] | Problem]  # ("file:line", the row or what is wrong with it)


def raw_rows(path: Path) -> Iterator[RawRow]:
    """Yield every row of ``path`` with its place, or the problem that stands in its place.

    Raises:
        InputError: the file is missing, unreadable, empty, or of no known kind.
    """
    reader = _reader(path)
    count = 0
    try:
        for row in reader(path):
            count += 1
            yield row
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    if not count:
        raise InputError(f"{path} has no rows", todo="Give a file with at least one labelled message.")


def _reader(path: Path) -> Callable[[Path], Iterator[RawRow]]:
    if not path.exists():
        raise InputError(f"{path} does not exist", todo="Check the path; a data file or a dataset folder is expected.")
    if path.is_dir():
        return _hugging_face
    name = path.name.removesuffix(".gz")
    kinds: dict[str, Callable[[Path], Iterator[RawRow]]] = {
        ".jsonl": _json_lines,
        ".ndjson": _json_lines,
        ".json": _json_lines,
        ".csv": _csv,
        ".tsv": _csv,
        ".parquet": _parquet,
    }
    for suffix, reader in kinds.items():
        if name.endswith(suffix):
            return reader
    raise InputError(
        f"{path} is of no known kind",
        [Problem(str(path), "", f"a name ending in {', '.join(kinds)}, or a folder", path.name)],
    )


def _open(path: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb")


def _json_lines(path: Path) -> Iterator[RawRow]:
    with _open(path) as file:
        number = 0
        while line := file.readline(MAX_ROW_BYTES + 1):
            number += 1
            where = f"{path}:{number}"
            if len(line) > MAX_ROW_BYTES:
                yield where, Problem(where, "", f"a row of at most {MAX_ROW_BYTES} bytes", "a longer one")
                _skip_line(file)
                continue
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")  # a byte order mark is not part of the row
            if line.strip():
                yield where, _json_row(line, where)


def _skip_line(file: IO[bytes] | gzip.GzipFile) -> None:
    while (chunk := file.readline(MAX_ROW_BYTES)) and not chunk.endswith(b"\n"):
        pass


def _json_row(line: bytes, where: str) -> dict[str, Any] | Problem:
    try:
        row = parse_json(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return Problem(where, "", "UTF-8 text", f"byte 0x{line[error.start]:02x} at column {error.start + 1}")
    except ValueError as error:
        return Problem(where, "", "one JSON object", str(error))
    if not isinstance(row, dict):
        return Problem(where, "", "one JSON object", f"a JSON {type(row).__name__}")
    return row


def _csv(path: Path) -> Iterator[RawRow]:
    with _open(path) as binary:
        text = io.TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline="")
        rows = csv.reader(text, delimiter="\t" if ".tsv" in path.suffixes else ",", strict=True)
        csv.field_size_limit(MAX_ROW_BYTES)
        try:
            header = next(rows, None)
            if header is None:
                return
            while True:
                line = rows.line_num + 1
                row = next(rows, None)
                if row is None:
                    return
                where = f"{path}:{line}"
                yield where, _csv_row(header, row, where)
        except csv.Error as error:
            where = f"{path}:{rows.line_num}"
            yield where, Problem(where, "", "well-formed CSV", str(error))


def _csv_row(header: list[str], row: list[str], where: str) -> dict[str, Any] | Problem:
    if len(row) != len(header):
        return Problem(where, "", f"{len(header)} fields, as in the header", f"{len(row)}")
    if bad := next(
        (name for name, value in zip(header, row, strict=True) if "\udc80" <= max(value, default="") <= "\udcff"), None
    ):
        return Problem(where, bad, "UTF-8 text", "bytes that are not UTF-8")
    out: dict[str, Any] = {name: value for name, value in zip(header, row, strict=True) if value}
    if "labels" in out:
        out["labels"] = [label.strip() for label in out["labels"].split("|")]
    if "weight" in out:
        out["weight"] = _number(out["weight"])
    return out


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _parquet(path: Path) -> Iterator[RawRow]:
    polars = _polars()
    try:
        frame = polars.read_parquet(path)
    except (polars.exceptions.PolarsError, OSError) as error:
        raise InputError(
            f"{path} is not Parquet", [Problem(str(path), "", "a Parquet file", str(error)[:200])]
        ) from error
    yield from _frame_rows(frame, str(path), {})


def _frame_rows(frame: Any, where: str, names: dict[str, list[str]]) -> Iterator[RawRow]:
    for number, row in enumerate(frame.iter_rows(named=True), start=1):
        out = {key: value for key, value in row.items() if value is not None}
        for column, classes in names.items():
            if isinstance(out.get(column), int) and 0 <= out[column] < len(classes):
                out[column] = classes[out[column]]
        yield f"{where}:{number}", out


def _hugging_face(folder: Path) -> Iterator[RawRow]:
    """Read what ``datasets.save_to_disk`` writes (every split of it), or a folder of data files."""
    if (folder / "dataset_dict.json").is_file():
        splits = read_json((folder / "dataset_dict.json").read_bytes(), where=str(folder / "dataset_dict.json"))
        for name in splits.get("splits", []):
            yield from _saved_split(folder / name)
    elif (folder / "state.json").is_file():
        yield from _saved_split(folder)
    else:
        files = sorted(path for path in folder.rglob("*") if path.suffix in {".parquet", ".jsonl", ".csv"})
        if not files:
            raise InputError(
                f"{folder} is no dataset folder",
                [
                    Problem(
                        str(folder),
                        "",
                        "dataset_dict.json, state.json, or .parquet, .jsonl or .csv files",
                        "none of them",
                    )
                ],
            )
        for path in files:
            yield from _reader(path)(path)


def _saved_split(folder: Path) -> Iterator[RawRow]:
    polars = _polars()
    state = read_json((folder / "state.json").read_bytes(), where=str(folder / "state.json"))
    for entry in state["_data_files"]:
        path = folder / Path(entry["filename"]).name
        yield from _frame_rows(polars.read_ipc_stream(path), str(path), _class_names(folder))


def _class_names(folder: Path) -> dict[str, list[str]]:
    """Return column -> class names, for columns stored as class numbers."""
    info = folder / "dataset_info.json"
    if not info.is_file():
        return {}
    features = read_json(info.read_bytes(), where=str(info)).get("features") or {}
    return {
        name: spec["names"]
        for name, spec in features.items()
        if isinstance(spec, dict) and spec.get("_type") == "ClassLabel"
    }


def _polars() -> Any:
    try:
        import polars as pl
    except ImportError as error:
        raise MissingExtraError("Reading Parquet and dataset folders", "train", missing="polars") from error
    return pl
