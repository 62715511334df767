"""How many attacks of each family were tried and withstood: ``python bench/attacks.py --full --write``.

The attacks are those of the tests, counted here; ``--full`` tries every bit, every system call and ten thousand
exchanges. One attack that succeeds ends the script with an error, and so does a careless loader or installer that the
harness does not catch. ``--write`` renews the table of docs/attacks.md, ``--family`` tries one family alone.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from interlock.bundle.keys import SigningKey, load_key, new_key, private_path
from interlock.bundle.open import open_bundle
from interlock.bundle.read import read_verified
from interlock.bundle.rollback import approve, check_token, propose
from interlock.bundle.sign import sign_bundle
from interlock.bundle.trust import NOBODY, Trust, read_public
from interlock.core.canonical import canonical
from interlock.core.errors import InterlockError
from interlock.predict.calibrators import Temperature

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "attacks.md"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
PERSONS = {"alice": "builder", "bob": "approver", "dora": "approver", "mallory": None}
Outcomes = Iterator[bool]  # of each attack, whether it was withstood


def helper(path: str) -> ModuleType:
    """Import a file of the tests, by a name that processes it starts can import too."""
    file = ROOT / "tests" / path
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))
    return importlib.import_module(file.stem)


@dataclass(frozen=True)
class Target:
    """A signed bundle in a folder of its own, and who signed it."""

    folder: Path
    keys: dict[str, SigningKey]
    trust: Trust
    full: bool

    @property
    def small(self) -> ModuleType:
        """What makes small bundles."""
        return helper("bundle/conftest.py")

    def fresh(self, **changes: bytes) -> Path:
        """Return a new copy of the bundle, signed by its builder and its approver."""
        made = Path(tempfile.mkdtemp(dir=self.folder)) / "bundle"
        self.small.packed(made, self.small.small_files(**changes))
        for person in ("alice", "bob"):
            sign_bundle(made, read_verified(made), self.keys[person])
        return made

    def refused(self, bundle: Path) -> bool:
        """Whether opening refuses, by a typed error."""
        return refused(lambda: open_bundle(bundle, self.trust))


def refused(attempt: Callable[[], object]) -> bool:
    """Whether an attempt is refused, as it should be."""
    try:
        attempt()
    except InterlockError:
        return True
    return False


def counted(tried: int, withstood: int) -> Outcomes:
    """Yield the outcomes of attacks that were counted elsewhere."""
    yield from (place < withstood for place in range(tried))


def bits_of_every_file(target: Target) -> Outcomes:
    """Change every bit of every file, or every 37th, of a signed bundle."""
    flips = helper("bundle/test_attacks.py").refused_flips
    yield from counted(*flips(target.fresh(), target.trust, step=1 if target.full else 37))


def bits_of_weights(target: Target) -> Outcomes:
    """Change 1,000 random bits, or 50, of each file of weights; the refusal names the file."""
    flips = helper("bundle/test_attacks.py").random_flips
    yield from counted(*flips(target.fresh(), target.trust, count=1000 if target.full else 50))


def swaps(target: Target) -> Outcomes:
    """Put every file, and every two files, of one signed bundle into another, and all but these."""
    attacks, small, one = helper("bundle/test_attacks.py"), target.small, target.fresh()
    beside = Path(tempfile.mkdtemp(dir=target.folder)) / "other"
    other = attacks.second_bundle(beside, target.keys, small.small_files, small.graph, small.packed)
    names = attacks.every_file(one)
    own, theirs = ({name: (folder / name).read_bytes() for name in names} for folder in (one, other))
    some = [set(taken) for n in (1, 2) for taken in itertools.combinations(names, n)]
    for taken in [*some, *(set(names) - taken for taken in some)]:
        for name in names:
            (one / name).write_bytes((theirs if name in taken else own)[name])
        yield target.refused(one)


def names_and_links(target: Target) -> Outcomes:
    """List hostile names, put them into the folder, and put links, pipes and devices in files' places."""
    hostile = helper("bundle/test_hostile.py")
    for name in hostile.NAMES.values():
        bundle = target.fresh()
        body = json.loads((bundle / "manifest.json").read_bytes())
        body["files"][name] = {"size": 1, "sha256": "sha256:" + "0" * 64}
        (bundle / "manifest.json").write_text(json.dumps(body), encoding="utf-8")
        yield target.refused(bundle)
    for name in hostile.EXTRA:
        bundle = target.fresh()
        (bundle / name).write_bytes(b"x")
        yield target.refused(bundle)
    for spoil in hostile.FILES.values():
        bundle = target.fresh()
        try:
            spoil(bundle)
        except (PermissionError, FileExistsError):  # no device without root; a signature is there already
            continue
        yield target.refused(bundle)


def manifests(target: Target) -> Outcomes:
    """Write manifests that no strict reader takes."""
    bundle = target.fresh()
    for data in helper("bundle/test_hostile.py").hostile((bundle / "manifest.json").read_bytes()).values():
        (bundle / "manifest.json").write_bytes(data)
        yield target.refused(bundle)


def envelopes(target: Target) -> Outcomes:
    """Forge signatures."""
    bundle = target.fresh()
    for data in helper("bundle/test_signatures.py").forged(bundle, target.keys).values():
        (bundle / "signature.json").write_bytes(data)
        yield target.refused(bundle)


def tokens(target: Target) -> Outcomes:
    """Change every bit, or every 5th, of a rollback token."""
    said = propose(alias="champion", bundle=f"sha256:{'1' * 64}", replaces=None, reason="x", now=NOW, hours=1)
    made = approve(approve(said, target.keys["bob"]), target.keys["dora"])
    check_token(made, target.trust, now=NOW)
    for bit in range(0, 8 * len(made), 1 if target.full else 5):
        spoilt = made[: bit // 8] + bytes([made[bit // 8] ^ 1 << bit % 8]) + made[bit // 8 + 1 :]
        yield refused(lambda spoilt=spoilt: check_token(spoilt, target.trust, now=NOW))  # type: ignore[misc]


def exchanges(target: Target) -> Outcomes:
    """Exchange files 10,000 times, or 1,500, while a bundle is opened; none may load bytes that were not verified."""
    races = helper("bundle/test_races.py")
    table = -target.small.TABLE * np.float32(1.01)
    evil, swapped = target.small.graph(table), 10_000 if target.full else 1500
    _, _, caught = races.attacked(races.careless, target.fresh(), target.trust, evil, swaps=1500)
    _, loaded, unverified = races.attacked(races.careful, target.fresh(), target.trust, evil, swaps=swapped)
    if not caught or not loaded:
        raise SystemExit("the harness does not catch a careless loader")
    yield from counted(swapped, swapped - unverified)


def crashes(target: Target) -> Outcomes:
    """Kill an installation at every system call, or every 40th; exactly one of old and new is active after."""
    crash = helper("bundle/test_crashes.py")
    made = [read_verified(target.fresh(calibrator_json=canonical(Temperature(t).to_json()))) for t in (1.5, 1.6)]
    for name, careless in (("careful", False), ("careless", True)):
        world = crash.World(target.folder / f"crashes-{name}" / "world", *made)
        world.folder.parent.mkdir()
        found, half = crash.tried(world, careless=careless, step=6 if careless else 1 if target.full else 40)
        if careless and not half:
            raise SystemExit("the harness does not catch a careless installer")
        if not careless:
            yield from counted(sum(found.values()) + len(half), sum(found.values()))


def broken_disks(target: Target) -> Outcomes:
    """Let the disk be full, or broken, at every call of an installation that can fail, or every 20th."""
    crash = helper("bundle/test_crashes.py")
    made = [read_verified(target.fresh(calibrator_json=canonical(Temperature(t).to_json()))) for t in (1.5, 1.6)]
    for error in ("ENOSPC", "EIO"):
        world = crash.World(target.folder / f"disk-{error}" / "world", *made)
        world.folder.parent.mkdir()
        step = 1 if target.full else 20
        found, half = crash.tried(world, careless=False, step=step, how=f"error={error}")
        yield from counted(sum(found.values()) + len(half), sum(found.values()))


def bad_values(_: Target) -> Outcomes:
    """Put each bad value into each field of a failing receipt, but for the rules themselves."""
    gaming = helper("gate/test_gaming.py")
    body = json.loads(gaming.receipt(60, 40).to_bytes())
    body.pop("digest")
    for path in gaming.fields(body):
        if path[:2] != ("contract", "limits") and path != ("contract",):
            for value in gaming.BAD.values():
                yield gaming.outcome(gaming.spoilt(body, path, value)) == "hold"


def games(_: Target) -> Outcomes:
    """Game a receipt that must not pass, or one that would: every way by its own code."""
    gaming = helper("gate/test_gaming.py")

    def held(made: Any, code: str) -> bool:
        found = gaming.judged(made)
        return not found.eligible and {reason.partition(":")[0] for reason in found.reasons} == {code}

    honest = gaming.receipt()
    for copies in range(5, 105):
        yield held(gaming.padded(copies), "copies")
    for dropped in itertools.combinations(range(192, 200), 3):
        yield held(gaming.printed(honest.only([i for i in range(200) if i not in dropped])), "missing")
    for name, one in honest.measurements.items():
        for by in (1e-8, -1e-8, 0.01, 1.0):
            edited = {**honest.measurements, name: {**one, "value": (one["value"] or 0.0) + by}}
            yield held(honest.model_copy(update={"measurements": edited}), "metric_mismatch")
    for kind, count in itertools.product(("exact", "normalised", "group", "unheard_of"), (1, 10, 200)):
        yield held(gaming.receipt(crossings={kind: count}), "leak")
    for hours in range(1, 25):
        yield held(gaming.receipt(created=(NOW + timedelta(hours=hours)).isoformat()), "created")
    yield from relabelled(gaming)


def relabelled(gaming: ModuleType) -> Outcomes:
    """Call wrong rows right, after the rows were judged once."""
    bad = gaming.receipt(170, 30)
    for changed in itertools.combinations(range(170, 200), 2):
        ledger = gaming.MemoryLedger()
        gaming.on_record(ledger, bad)
        found, attempt = gaming.on_record(ledger, gaming.with_labels_changed(bad, set(changed)))
        yield attempt == 2 and [reason.partition(":")[0] for reason in found.reasons] == ["relabelled"]


FAMILIES: dict[str, Callable[[Target], Outcomes]] = {
    "bits of every file": bits_of_every_file,
    "random bits of weights": bits_of_weights,
    "files exchanged between two bundles": swaps,
    "names, links, pipes, devices, sizes": names_and_links,
    "manifests of hostile JSON": manifests,
    "forged envelopes": envelopes,
    "bits of a rollback token": tokens,
    "files exchanged while they are read": exchanges,
    "killed at a system call of a push and an activation": crashes,
    "a disk that is full or broken at a system call of them": broken_disks,
    "bad values in every field of a receipt": bad_values,
    "gamed receipts": games,
}


def count(target: Target, family: str) -> dict[str, Any]:
    """Try one family."""
    started = time.perf_counter()
    found = list(FAMILIES[family](target))
    seconds = round(time.perf_counter() - started, 1)
    return {"family": family, "tried": len(found), "withstood": sum(found), "seconds": seconds}


def write(rows: list[dict[str, Any]]) -> None:
    """Renew the table of the page."""
    head, _, tail = PAGE.read_text(encoding="utf-8").partition("<!-- counted -->\n")
    table = [f"| {row['family']} | {row['tried']:,} | {row['withstood']:,} | {row['seconds']:g} |" for row in rows]
    lines = "\n".join(["| family | tried | withstood | seconds |", "|---|---|---|---|", *table, "<!-- end -->\n"])
    tail = tail.partition("<!-- end -->\n")[2]
    PAGE.write_text(f"{head}<!-- counted -->\n{lines}{tail}", encoding="utf-8")


def main() -> None:
    """Print the counts, and with ``--write`` renew the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--family", action="append", choices=list(FAMILIES))
    options = parser.parse_args()
    folder, trust, keys = Path(tempfile.mkdtemp()), NOBODY, {}
    try:
        for name, role in PERSONS.items():
            new_key(folder / "keys", name)
            keys[name] = load_key(private_path(folder / "keys", name), passphrase=str)
            if role is not None:
                trust = trust.with_key(read_public(folder / "keys" / f"{name}.key.json"), role)  # type: ignore[arg-type]
        target, rows = Target(folder, keys, trust, options.full), []
        for family in options.family or FAMILIES:
            rows.append(count(target, family))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if any(row["tried"] != row["withstood"] or not row["tried"] for row in rows):
        raise SystemExit(f"an attack succeeded: {rows}")
    if options.write and not options.family:
        write(rows)
    print(json.dumps({"families": rows, "full": options.full, "ratio": 1.0}))


if __name__ == "__main__":
    main()
