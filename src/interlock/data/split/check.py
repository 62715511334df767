"""A split that somebody made: does it share rows, and is it what its manifest says? Knows no dividing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interlock.core.canonical import digest_of, read_json
from interlock.core.contract import MOST_TURNS
from interlock.core.dataset import PARTS, Dataset, Example, Part
from interlock.core.errors import InputError, Problem
from interlock.core.progress import Watch, unwatched
from interlock.data.audit.load import NAMES
from interlock.data.audit.mask import masked
from interlock.data.formats import raw_rows
from interlock.data.read import read
from interlock.data.split.crossings import KINDS, Crossing, Parts, Placed, crossings, have_time
from interlock.data.split.units import LADDER, NEAR, Kin, Likeness

MANIFEST = "split.json"
SHOWN = 5  # pairs of each kind
LEAKS = ("exact", "normalised", "group")  # what no split may share; near duplicates and time only when promised


@dataclass(frozen=True)
class Checked:
    """What a split shares between its parts."""

    counts: dict[Part, int]
    crossings: dict[str, tuple[Crossing, ...]]
    likeness: Likeness  # of the near duplicates counted
    timed: bool  # whether rows out of time were counted
    promised: tuple[str, ...]  # the kinds that must be 0
    broken: tuple[str, ...] = ()  # where the files are not what the manifest says
    digest: str | None = None  # the manifest's

    @property
    def clean(self) -> bool:
        """Whether nothing crosses that must not, and the manifest, if any, is true."""
        return not self.broken and not any(self.crossings[kind] for kind in self.promised)

    def texts(self, kind: str) -> int:
        """Return how many different texts of later parts cross."""
        return len({crossing.later[1].text for crossing in self.crossings[kind]})

    def to_json(self) -> dict[str, Any]:
        """Return counts, crossings, the first few pairs of each kind (masked), and what of the manifest is untrue."""
        examples = {
            kind: [{"earlier": _shown(one.earlier), "later": _shown(one.later)} for one in found[:SHOWN]]
            for kind, found in self.crossings.items()
            if found
        }
        out: dict[str, Any] = {
            "counts": self.counts,
            "crossings": {kind: len(self.crossings[kind]) for kind in KINDS},
            "near": self.likeness.name,
            "examples": examples,
            "clean": self.clean,
        }
        return out if self.digest is None else {**out, "broken": list(self.broken), "digest": self.digest}


def check(
    data: str | Path,
    *,
    calibration: str | Path | None = None,
    test: str | Path | None = None,
    labels: Collection[str] | None = None,
    watch: Watch = unwatched,
) -> Checked:
    """Check a split.

    Args:
        data: a folder with ``split.json``; training rows, with the other rows in files of their own; or one file whose
            rows say in the field ``split`` which part they are in.
        calibration: calibration rows.
        test: test rows.
        labels: the labels a row may carry; ``None`` accepts any.
        watch: told when near duplicates are looked for among many rows.

    Raises:
        InputError: unreadable files, rows that do not say their part, or fewer than two parts with rows.
    """
    folder = Path(data)
    manifest: Mapping[str, Any] = {}
    if calibration is not None or test is not None:
        files: dict[Part, str | Path | None] = {"train": data, "calibration": calibration, "test": test}
        parts = {part: read(path, labels=labels).examples for part, path in files.items() if path is not None}
    elif (folder / MANIFEST).is_file():
        manifest = _manifest(folder / MANIFEST)
        parts = {part: read(folder / f"{part}.jsonl", labels=labels, turns=MOST_TURNS).examples for part in PARTS}
    else:
        parts = _by_field(folder, labels)
    if sum(bool(rows) for rows in parts.values()) < 2:  # noqa: PLR2004 - sharing takes two
        raise InputError(
            f"{data} is one part only",
            todo="Give the other files with --calibration and --test, or rows with a field 'split'.",
        )
    return _checked(parts, manifest, watch=watch)


def _checked(parts: Parts, manifest: Mapping[str, Any], *, watch: Watch) -> Checked:
    rule = str(manifest.get("rule", "given"))
    ours = rule != "given"
    likeness = next((one for one in LADDER if ours and one.name == manifest.get("near")), NEAR)
    timed = rule.endswith("time") if ours else have_time(parts)
    kin = Kin.of([row for rows in parts.values() for row in rows], watch=watch)
    found = crossings(parts, kin=kin, likeness=likeness, timed=timed)
    return Checked(
        counts={part: len(rows) for part, rows in parts.items()},
        crossings=found,
        likeness=likeness,
        timed=timed,
        promised=KINDS if ours else LEAKS,
        broken=tuple(_untrue(parts, manifest, {kind: len(some) for kind, some in found.items()})) if manifest else (),
        digest=manifest.get("digest"),
    )


def _untrue(parts: Parts, manifest: Mapping[str, Any], counts: Mapping[str, int]) -> list[str]:
    """Return where the files or the manifest were changed after they were written."""
    body = {key: value for key, value in manifest.items() if key != "digest"}
    out = [] if digest_of(body) == manifest["digest"] else ["the digest of split.json is not that of its contents"]
    for part, rows in parts.items():
        if sorted(row.id for row in rows) != manifest["parts"].get(part):
            out.append(f"{part}.jsonl does not hold the rows that split.json lists")
        elif Dataset(rows).fingerprint != manifest["fingerprints"].get(part):
            out.append(f"{part}.jsonl has the listed ids, but its rows are not those of the fingerprint")
    if dict(counts) != manifest["crossings"]:
        out.append(f"split.json counts the crossings {manifest['crossings']}")
    return out


def _manifest(path: Path) -> Mapping[str, Any]:
    found = read_json(path.read_bytes(), where=str(path))
    kinds = {"digest": str, "rule": str, "parts": dict, "fingerprints": dict, "crossings": dict}
    problems = [Problem(str(path), "", "one JSON object", type(found).__name__)] * (not isinstance(found, dict)) or [
        Problem(str(path), key, "as interlock split writes it", repr(found.get(key))[:80])
        for key, kind in kinds.items()
        if not isinstance(found.get(key), kind)
    ]
    if problems:
        raise InputError(f"{path} is no split manifest", problems)
    return dict(found)


def _by_field(path: Path, labels: Collection[str] | None) -> dict[Part, tuple[Example, ...]]:
    rows = read(path, labels=labels).examples
    said = [row.get("split") for _, row in raw_rows(path) if not isinstance(row, Problem)]
    problems = [
        Problem(f"{path}, row {row.id}", "split", "train, calibration (validation) or test", repr(name)[:80])
        for row, name in zip(rows, said, strict=True)
        if not isinstance(name, str) or name.casefold() not in NAMES
    ]
    if problems:
        raise InputError(
            f"{len(problems)} rows do not say which part they are in",
            problems,
            todo="Give the other files with --calibration and --test, or add the field 'split' to every row.",
        )
    parts: dict[Part, tuple[Example, ...]] = {
        part: tuple(row for row, name in zip(rows, said, strict=True) if NAMES[str(name).casefold()] == part)
        for part in PARTS
    }
    return {part: some for part, some in parts.items() if some}


def _shown(placed: Placed) -> dict[str, str]:
    part, row = placed
    extra = {"group": masked(row.group)} if row.group is not None else {}
    when = {"timestamp": row.timestamp} if row.timestamp is not None else {}
    return {"part": part, "id": row.id, "text": masked(row.text), **extra, **when}
