"""Hugging Face datasets without their library: what ``save_to_disk`` makes, and folders of data files with a card."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from interlock.core.canonical import read_json
from interlock.core.errors import InputError, Problem
from interlock.data.formats import csv_table, json_lines, parquet, rasa
from interlock.data.formats.files import check_regular, opened
from interlock.data.formats.row import FIELDS, Asked, Format, RawRow, Row
from interlock.data.formats.yaml_tree import parse_yaml

SPLITS = ("train", "validation", "valid", "val", "dev", "calibration", "test", "oos")
_SPLIT_FILE = re.compile(rf"({'|'.join(SPLITS)})(?:[-_.][\w.-]*)?$")
_CARD_CHARS = 1_000_000
_FILES = {
    ".parquet": parquet.read,
    ".jsonl": json_lines.read,
    ".csv": csv_table.read,
    ".yml": rasa.read,
    ".yaml": rasa.read,
}


def read(folder: Path, asked: Asked) -> Iterator[RawRow]:
    """Yield the rows of every split, with the split's name in ``split`` unless the row has its own."""
    if (folder / "dataset_dict.json").is_file():
        splits = _object(folder / "dataset_dict.json").get("splits")
        for name in splits if isinstance(splits, list) else ():
            yield from _in_split(_saved(folder / Path(str(name)).name), str(name))
    elif (folder / "state.json").is_file():
        yield from _saved(folder)
    else:
        yield from _data_files(folder, asked)


def _in_split(rows: Iterator[RawRow], name: str | None) -> Iterator[RawRow]:
    for where, row in rows:
        if name is not None and isinstance(row, dict):
            row.setdefault("split", name)
        yield where, row


def _saved(folder: Path) -> Iterator[RawRow]:
    files = _object(folder / "state.json").get("_data_files")
    info = folder / "dataset_info.json"
    classes = parquet.class_names(_object(info).get("features")) if info.is_file() else {}
    for entry in files if isinstance(files, list) else ():
        name = entry.get("filename") if isinstance(entry, dict) else None
        yield from parquet.arrow_rows(folder / Path(str(name)).name, classes)


def _object(path: Path) -> dict[str, Any]:
    check_regular(path)
    found = read_json(path.read_bytes(), where=str(path))
    if not isinstance(found, dict):
        raise InputError(f"{path} is no dataset's description", [Problem(str(path), "", "a JSON object", "another")])
    return found


def _data_files(folder: Path, asked: Asked) -> Iterator[RawRow]:
    files = sorted(_within(folder))
    if not files:
        expected = "dataset_dict.json, state.json, or .parquet, .jsonl, .csv, .yml files"
        raise InputError(f"{folder} is no dataset folder", [Problem(str(folder), "", expected, "none of them")])
    chosen, classes = _card(folder)
    for path in files:
        inside = path.relative_to(folder).as_posix()
        split = next((split for pattern, split in chosen if fnmatch(inside, pattern)), None)
        if chosen and split is None:
            asked.skipped["file of another configuration"] += 1
            continue
        found = _SPLIT_FILE.match(path.stem)
        rows = parquet.parquet_rows(path, classes) if path.suffix == ".parquet" else _FILES[path.suffix](path, asked)
        yield from _in_split(rows, split or (found[1] if found else None))


def _within(folder: Path) -> Iterator[Path]:
    for here, _, names in os.walk(folder):  # does not follow links to folders, so loops end
        yield from (Path(here) / name for name in names if Path(name).suffix in _FILES and not name.startswith("."))


def _card(folder: Path) -> tuple[list[tuple[str, str]], dict[str, list[str]]]:
    """Return (file pattern, split) of the default configuration, and class names, from the head of ``README.md``."""
    path = folder / "README.md"
    if not path.is_file():
        return [], {}
    with opened(path) as file:
        text = file.read(_CARD_CHARS)
    if not text.startswith("---") or (end := text.find("\n---", 3)) < 0:
        return [], {}
    head = parse_yaml(text[3:end], where=str(path))
    if not isinstance(head, dict):
        return [], {}
    return _patterns(head.get("configs"), path), _card_classes(head.get("dataset_info"))


def _patterns(configs: Any, path: Path) -> list[tuple[str, str]]:
    known = [one for one in configs if isinstance(one, dict)] if isinstance(configs, list) else []
    if not known:
        return []
    chosen = [one for one in known if one.get("default") == "true" or one.get("config_name") == "default"] or known
    if len(chosen) > 1:
        names = ", ".join(str(one.get("config_name")) for one in chosen)[:200]
        raise InputError(
            f"{path} describes several configurations",
            [Problem(str(path), "configs", "one, or one that is the default", names)],
            todo="Give the folder or the files of one configuration.",
        )
    found: list[tuple[str, str]] = []
    files = chosen[0].get("data_files")
    for entry in files if isinstance(files, list) else [{"split": "train", "path": files}] if files else []:
        paths = entry.get("path") if isinstance(entry, dict) else None
        split = str(entry.get("split", "train")) if isinstance(entry, dict) else "train"
        several = paths if isinstance(paths, list) else [paths]
        found += [(one.removeprefix("./").replace("**/", "*"), split) for one in several if isinstance(one, str)]
    return found


def _card_classes(info: Any) -> dict[str, list[str]]:
    """Return class names from a card, where they are listed as ``names: {'0': a, '1': b}``."""
    infos = info if isinstance(info, list) else [info]
    chosen = next((one for one in infos if isinstance(one, dict) and "features" in one), {})
    found: dict[str, list[str]] = {}
    features = chosen.get("features")
    for spec in features if isinstance(features, list) else ():
        kind = spec.get("dtype", spec.get("sequence")) if isinstance(spec, dict) else None
        names = kind.get("class_label", {}).get("names") if isinstance(kind, dict) else None
        if isinstance(names, dict) and isinstance(spec.get("name"), str):
            found[spec["name"]] = [str(names[key]) for key in sorted(names, key=lambda key: (len(key), key))]
    return found


def write(rows: Iterable[Row], path: Path) -> None:
    """Write a folder with one Parquet file a split and the card that lists them; rows without a split are ``train``.

    Raises:
        InputError: ``path`` exists and is no empty directory.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path} is not an empty directory", todo="Give a new directory.")
    parts: dict[str, list[Row]] = {}
    used: set[str] = set()
    for row in rows:
        used |= row.keys()
        parts.setdefault(row.get("split", "train"), []).append({k: v for k, v in row.items() if k != "split"})
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        files = {split: f"data/{split}-00000-of-00001.parquet" for split in parts}
        for split, name in files.items():
            columns = [
                field for field in FIELDS if field in used - {"split"}
            ]  # alike in every file, as the library asks
            parquet.write_table(parts[split], scratch / name, columns=columns)
        listed = "".join(f"  - split: {split}\n    path: {name}\n" for split, name in files.items())
        card = f"---\nconfigs:\n- config_name: default\n  data_files:\n{listed}---\n"
        (scratch / "README.md").write_text(card, encoding="utf-8")
        scratch.chmod(0o755)
        scratch.replace(path)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def _lost(row: Row) -> list[str]:
    """Say which rows have no place in a folder: their split's name is no name of a file."""
    return [] if re.fullmatch(r"\w+(\.\w+)*", row.get("split", "train"), re.ASCII) else ["split"]


def cached(name: str) -> Path | None:
    """Return the folder of a dataset of the Hugging Face Hub when this machine's cache has it."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError:
        return None
    try:
        return Path(snapshot_download(name, repo_type="dataset", local_files_only=True))
    except (LocalEntryNotFoundError, HfHubHTTPError, ValueError, OSError):
        return None


HUGGING_FACE = Format("huggingface", (), read, write, _lost)
