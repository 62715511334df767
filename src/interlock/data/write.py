"""Rows and scores to files. Knows no meaning."""

from __future__ import annotations

import gzip
import io
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import numpy.typing as npt

from interlock.core.dataset import Dataset


def write_rows(rows: Dataset, path: Path) -> None:
    """Write a dataset as JSON lines, in row order; the same rows give the same bytes."""
    write_whole(path, (json.dumps(example.to_json(), ensure_ascii=False) + "\n" for example in rows))


def write_scores(rows: Dataset, logits: npt.NDArray[Any], path: Path) -> None:
    """Write ids, labels and logits (n rows, k labels) as Parquet."""
    import polars as pl

    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {"id": [row.id for row in rows], "labels": [list(row.labels) for row in rows], "logits": logits.tolist()}
    pl.DataFrame(columns, schema_overrides={"logits": pl.List(pl.Float32)}).write_parquet(path)


def write_whole(path: Path, lines: Iterable[str]) -> None:
    """Write lines to a file that appears only when it is whole, packed when it is called ``.gz``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    scratch = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            if path.suffix == ".gz":
                with gzip.GzipFile(
                    fileobj=file, mode="wb", filename="", mtime=0
                ) as packed:  # the same rows, the same bytes
                    _write_lines(packed, lines)
            else:
                _write_lines(file, lines)
        scratch.chmod(0o644)
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def _write_lines(file: IO[bytes] | gzip.GzipFile, lines: Iterable[str]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    text.writelines(lines)
    text.detach()
