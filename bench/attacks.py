"""How many attacks of each family were tried and refused: ``python bench/attacks.py --write`` renews the table.

The families are those of the tests, counted here one by one; one attack that succeeds ends the script with an error.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from interlock.bundle.keys import load_key, new_key, private_path
from interlock.bundle.read import read_verified
from interlock.bundle.rollback import approve, check_token, propose
from interlock.bundle.sign import sign_bundle, signers
from interlock.bundle.trust import NOBODY, Trust, read_public
from interlock.core.canonical import canonical
from interlock.core.errors import InterlockError
from interlock.predict.calibrators import Temperature

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "attacks.md"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def helper(path: str) -> ModuleType:
    """Import a file of the tests."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / "tests" / path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def refused(attempt: Callable[[], object]) -> bool:
    """Whether an attempt is refused, as it should be."""
    try:
        attempt()
    except InterlockError:
        return True
    return False


def flips(data: bytes, *, step: int) -> Iterator[bytes]:
    """Yield ``data`` with one bit changed, for every ``step``-th bit."""
    for bit in range(0, 8 * len(data), step):
        yield data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


def bits_of_a_bundle(folder: Path, trust: Trust) -> Iterator[bool]:
    """Yield whether every 61st changed bit of each text file is refused, and every 197th of the weights."""

    def verify() -> None:
        verified = read_verified(folder)
        signers(verified.signature, verified.listing, trust)

    verify()
    for path in sorted(found for found in folder.rglob("*") if found.is_file()):
        whole = path.read_bytes()
        for spoilt in flips(whole, step=197 if path.suffix in {".onnx", ".safetensors"} else 61):
            path.write_bytes(spoilt)
            yield refused(verify)
        path.write_bytes(whole)


def swaps(one: Path, other: Path) -> Iterator[bool]:
    """Yield whether each file of one bundle, put into another, is refused."""
    for path in sorted(found for found in one.rglob("*") if found.is_file() and found.name != "signature.json"):
        target = other / path.relative_to(one)
        whole = target.read_bytes()
        if whole != path.read_bytes():
            target.write_bytes(path.read_bytes())
            yield refused(lambda: read_verified(other))
            target.write_bytes(whole)


def tokens(keys: Path, trust: Trust) -> Iterator[bool]:
    """Yield whether every 5th changed bit of a rollback token is refused."""
    said = propose(alias="champion", bundle=f"sha256:{'1' * 64}", replaces=None, reason="x", now=NOW, hours=1)
    first, second = (load_key(private_path(keys, name), passphrase=str) for name in ("bob", "dora"))
    made = approve(approve(said, first), second)
    check_token(made, trust, now=NOW)
    for spoilt in flips(made, step=5):
        yield refused(lambda spoilt=spoilt: check_token(spoilt, trust, now=NOW))  # type: ignore[misc]


def bad_values() -> Iterator[bool]:
    """Yield whether a failing receipt is still held with each bad value in each field but the rules themselves."""
    gaming = helper("gate/test_gaming.py")
    body = json.loads(gaming.receipt(60, 40).to_bytes())
    body.pop("digest")
    for path in gaming.fields(body):
        if path[:2] != ("contract", "limits") and path != ("contract",):
            for value in gaming.BAD.values():
                yield gaming.outcome(gaming.spoilt(body, path, value)) == "hold"


def main() -> None:
    """Print the counts, and with ``--write`` renew the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    small = helper("bundle/conftest.py")
    with tempfile.TemporaryDirectory() as scratch:
        here, trust = Path(scratch), NOBODY
        for name in ("bob", "dora"):
            new_key(here / "keys", name)
            trust = trust.with_key(read_public(here / "keys" / f"{name}.key.json"), "approver")
        one = small.packed(here / "one", small.small_files())
        other = small.packed(here / "two", small.small_files(calibrator_json=canonical(Temperature(2.0).to_json())))
        sign_bundle(one, read_verified(one), load_key(private_path(here / "keys", "bob"), passphrase=str))
        families: dict[str, Iterator[bool]] = {
            "bits of a bundle's files": bits_of_a_bundle(one, trust.requiring(("approver",))),
            "files exchanged between two bundles": swaps(one, other),
            "bits of a rollback token": tokens(here / "keys", trust),
            "bad values in every field of a receipt": bad_values(),
        }
        rows = []
        for family, outcomes in families.items():
            started = time.perf_counter()
            found = list(outcomes)
            seconds = round(time.perf_counter() - started, 1)
            rows.append({"family": family, "tried": len(found), "refused": sum(found), "seconds": seconds})
    if any(row["tried"] != row["refused"] for row in rows):
        raise SystemExit(f"an attack succeeded: {rows}")
    if options.write:
        table = [f"| {row['family']} | {row['tried']} | {row['refused']} |" for row in rows]
        whole = PAGE.read_text(encoding="utf-8")
        head, _, rest = whole.partition("<!-- counted -->\n")
        tail = rest.partition("<!-- end -->\n")[2]
        lines = "\n".join(["| family | tried | refused |", "|---|---|---|", *table, ""])
        PAGE.write_text(f"{head}<!-- counted -->\n{lines}<!-- end -->\n{tail}", encoding="utf-8")
    print(json.dumps({"families": rows, "ratio": 1.0}))


if __name__ == "__main__":
    main()
