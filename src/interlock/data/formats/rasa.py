"""Rasa NLU training data (YAML): the examples of intents; entity marks are taken off the text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from interlock.core.errors import InputError, Problem
from interlock.data.formats.files import opened, undecodable
from interlock.data.formats.row import Asked, Format, RawRow, Row, borrowed
from interlock.data.formats.yaml_tree import Scalar, parse_yaml
from interlock.data.write import write_whole

MAX_CHARS = 64_000_000  # of one file; beyond it teams split theirs
_ENTITY = re.compile(r"\[([^\]]+?)\](?:\([^)]+?\)|\{[^}]+?\}|\[\s*\{.*?\}\s*\])")  # [Berlin](city), [x]{"entity": "y"}
_NO_ROWS = ("synonym", "regex", "lookup")  # items that describe entities
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_/+.-]*")
_YAML_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
_UNPRINTABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_KEY_CHARS = 1000  # YAML's simple keys end at 1024


def read(path: Path, asked: Asked) -> Iterator[RawRow]:
    """Yield a row an example; the label is the intent's whole name, ``faq/ask_name`` for a retrieval intent."""
    with opened(path) as file:
        text = file.read(MAX_CHARS + 1)
    if len(text) > MAX_CHARS:
        raise InputError(f"{path} is too large", [Problem(str(path), "", f"at most {MAX_CHARS} characters", "more")])
    if undecodable(text):
        for number, line in enumerate(text.split("\n"), start=1):
            if bad := undecodable(line):
                yield f"{path}:{number}", Problem(f"{path}:{number}", "", "UTF-8 text", bad)
        return
    tree = parse_yaml(text, where=str(path))
    if not isinstance(tree, dict) or not isinstance(tree.get("nlu"), list):
        yield str(path), Problem(str(path), "nlu", "a list of intents", "none")
        return
    asked.skipped.update(f"section {str(key)[:80]!r}" for key in tree if key not in {"nlu", "version"})
    for item in tree["nlu"]:
        yield from _item(item, path, asked)


def _item(item: Any, path: Path, asked: Asked) -> Iterator[RawRow]:
    if isinstance(item, dict) and isinstance(item.get("intent"), Scalar):
        yield from _examples(item, path, asked)
        return
    kind = next((name for name in _NO_ROWS if isinstance(item, dict) and name in item), None)
    if kind:
        asked.skipped[kind] += 1
    else:
        line = next((key.line for key in item), 1) if isinstance(item, dict) else getattr(item, "line", 1)
        where = f"{path}:{line}"
        yield where, Problem(where, "nlu", f"an item with intent, {', '.join(_NO_ROWS)}", "another")


def _examples(item: dict[str, Any], path: Path, asked: Asked) -> Iterator[RawRow]:
    intent: Scalar = item["intent"]
    examples = item.get("examples")
    shared = _metadata(item.get("metadata"), asked)
    if isinstance(examples, list):
        for one in examples:
            text = one.get("text") if isinstance(one, dict) else None
            where = f"{path}:{getattr(text, 'line', intent.line)}"
            if not isinstance(text, Scalar):
                yield where, Problem(where, "examples", "an example with text", "one without")
                continue
            words = str(text).rstrip("\r\n") if text.block else str(text)
            yield (
                where,
                {"text": _words(words), "label": str(intent), **shared, **_metadata(one.get("metadata"), asked)},
            )
    elif isinstance(examples, Scalar) and examples.strip():
        for number, line in enumerate(examples.splitlines(), start=examples.line + examples.block):
            where = f"{path}:{number}"
            if line.startswith("-"):
                yield where, {"text": _words(line[1:].strip("\r\n ")), "label": str(intent), **shared}
            elif line.strip():
                yield where, Problem(where, "examples", "a line that begins with '-'", repr(line)[:80])
    else:
        where = f"{path}:{intent.line}"
        yield where, Problem(where, "examples", f"examples of {str(intent)[:80]!r}", "none")


def _words(marked: str) -> str:
    return _ENTITY.sub(r"\1", marked)


def _metadata(given: Any, asked: Asked) -> dict[str, Any]:
    if not isinstance(given, dict):
        return {}
    plain = {str(name): str(value) for name, value in given.items() if isinstance(value, Scalar)}
    out = {**borrowed({**given, **plain}, asked, known=("id", "annotations"))}
    if "id" in plain:
        out["id"] = plain["id"]
    if isinstance(given.get("annotations"), dict):
        out["annotations"] = {str(who): str(label) for who, label in given["annotations"].items()}
    try:
        return out | ({"weight": float(out["weight"])} if "weight" in out else {})
    except (TypeError, ValueError):
        return out


def write(rows: Iterable[Row], path: Path) -> None:
    """Write intents in the order of their first row; fields beyond text and label are an example's ``metadata``."""
    intents: dict[str, list[Row]] = {}
    for row in rows:
        intents.setdefault(row["label"], []).append(row)
    write_whole(path, _text(intents))


def _text(intents: dict[str, list[Row]]) -> Iterator[str]:
    yield 'version: "3.1"\n\nnlu:\n'
    for intent, rows in intents.items():
        bare = _PLAIN_NAME.fullmatch(intent) and intent.lower() not in _YAML_WORDS
        yield f"- intent: {intent if bare else _quoted(intent)}\n"
        if all(_is_plain(row) for row in rows):
            yield "  examples: |\n"
            yield from (f"    - {row['text']}\n" for row in rows)
        else:
            yield "  examples:\n"
            yield from (_listed(row) for row in rows)


def _is_plain(row: Row) -> bool:
    text = row["text"]
    return row.keys() <= {"text", "label"} and text == text.strip("\r\n ") and not _UNPRINTABLE.search(text)


def _listed(row: Row) -> str:
    out = f"  - text: {_quoted(row['text'])}\n"
    kept = {name: value for name, value in row.items() if name not in {"text", "label"}}
    if kept:
        out += "    metadata:\n"
    for name, value in kept.items():
        if isinstance(value, dict):
            out += f"      {name}:\n" + "".join(f"        {_quoted(k)}: {_quoted(v)}\n" for k, v in value.items())
        else:
            out += f"      {name}: {_quoted(value) if isinstance(value, str) else value}\n"
    return out


def _quoted(text: str) -> str:
    """Return YAML's double-quoted form: JSON's, with what YAML cannot print escaped."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def _lost(row: Row) -> list[str]:
    fields = ["labels"] if "labels" in row else []
    fields += ["text"] if _ENTITY.search(row["text"]) else []
    return fields + (
        ["annotations"] if any(len(_quoted(who)) > _KEY_CHARS for who in row.get("annotations", ())) else []
    )


RASA = Format("rasa", (".yml", ".yaml"), read, write, _lost)
