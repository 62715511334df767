"""Bundles: whole or not there, verified before anything in them is used."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from interlock.build import Built
from interlock.bundle import layout
from interlock.bundle.durable import write_whole
from interlock.bundle.manifest import make_manifest
from interlock.bundle.open import open_bundle
from interlock.bundle.pack import pack
from interlock.bundle.read import read_verified
from interlock.core.errors import InputError, InterlockError, RefusedError


def test_an_opened_bundle_decides_as_the_built_one(built: Built, bundle: Path) -> None:
    opened = open_bundle(bundle)

    for text in ("where is my parcel", "refund my broken item", "hello friend", "", "x" * 400):
        now, then = opened.decide(text).to_json(), built.bundle.decide(text).to_json()
        assert {**now, "stage_ms": None} == {**then, "stage_ms": None}
    assert opened.digest == built.bundle.digest


def test_the_manifest_lists_every_file_of_the_bundle(bundle: Path) -> None:
    manifest = json.loads((bundle / layout.MANIFEST).read_bytes())
    found = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}

    assert set(manifest["files"]) == found - {layout.MANIFEST}
    assert all((bundle / name).stat().st_size == listed["size"] for name, listed in manifest["files"].items())


def test_a_changed_byte_in_any_file_is_refused_by_name(bundle: Path) -> None:
    for name in json.loads((bundle / layout.MANIFEST).read_bytes())["files"]:
        whole = (bundle / name).read_bytes()
        if not whole:
            continue
        spoiled = bytearray(whole)
        spoiled[len(spoiled) // 2] ^= 1
        (bundle / name).write_bytes(bytes(spoiled))
        with pytest.raises(RefusedError, match=name):
            open_bundle(bundle)
        (bundle / name).write_bytes(whole)
    open_bundle(bundle)  # and whole again it opens


def test_every_flipped_bit_of_the_manifest_is_refused_with_a_typed_error(tiny: Path) -> None:
    bundle = tiny
    whole = (bundle / layout.MANIFEST).read_bytes()
    refused = 0
    for position in range(0, len(whole) * 8, 23):  # bits all over the file; every single one would take minutes
        spoiled = bytearray(whole)
        spoiled[position // 8] ^= 1 << position % 8
        (bundle / layout.MANIFEST).write_bytes(bytes(spoiled))
        try:
            verified = read_verified(bundle)
        except InterlockError:
            refused += 1
        else:  # a name, a date or an identity may read differently, but then the bundle is another one
            assert verified.digest != ""
            assert set(verified.files) == set(json.loads(whole)["files"])
            assert verified.manifest.to_bytes() != whole
    assert refused > 0


def move_and_link(path: Path) -> None:
    """Leave a symbolic link to the same bytes."""
    path.rename(path.parent.parent / "moved")
    path.symlink_to(path.parent.parent / "moved")


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


Spoil = Callable[[Path], object]
SPOILED: dict[str, tuple[Spoil, str]] = {
    "a missing file": (lambda b: (b / layout.CALIBRATOR).unlink(), layout.CALIBRATOR),
    "an extra file": (lambda b: (b / "notes.txt").write_text("hi"), "notes.txt"),
    "an extra folder": (lambda b: (b / "extra").mkdir(), "extra"),
    "an empty file": (lambda b: (b / layout.POLICY).write_bytes(b""), layout.POLICY),
    "a longer file": (
        lambda b: (b / layout.POLICY).write_bytes((b / layout.POLICY).read_bytes() + b" "),
        layout.POLICY,
    ),
    "a symbolic link to the same bytes": (lambda b: move_and_link(b / layout.POLICY), layout.POLICY),
    "a hard link": (lambda b: os.link(b / layout.POLICY, b.parent / "second"), layout.POLICY),
    "a pipe": (lambda b: make_pipe(b / layout.POLICY), layout.POLICY),
    "a linked folder": (lambda b: move_and_link(b / "model"), "model"),
    "a manifest that is a list": (lambda b: (b / layout.MANIFEST).write_text("[]"), layout.MANIFEST),
    "a manifest with a key twice": (
        lambda b: (b / layout.MANIFEST).write_text('{"bundle": 1, "bundle": 1}'),
        layout.MANIFEST,
    ),
    "a manifest nested too deep": (lambda b: (b / layout.MANIFEST).write_text("[" * 10**5), layout.MANIFEST),
}


@pytest.mark.parametrize(("spoil", "named"), SPOILED.values(), ids=SPOILED)
def test_a_bundle_is_refused_for(spoil: Spoil, named: str, bundle: Path) -> None:
    spoil(bundle)

    with pytest.raises(RefusedError, match=named):
        open_bundle(bundle)


PATHS = [
    "../outside",
    "/etc/passwd",
    "a/../../b",
    "model\\config.json",
    "model/../policy.json",
    "policy.json\0",
    "CON",
    "model/evil.pkl",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_manifest_may_not_list_a_path_that_bundles_do_not_have(path: str, bundle: Path) -> None:
    manifest = json.loads((bundle / layout.MANIFEST).read_bytes())
    manifest["files"][path] = {"size": 1, "sha256": "sha256:" + "0" * 64}
    (bundle / layout.MANIFEST).write_text(json.dumps(manifest))

    with pytest.raises(RefusedError, match="a file bundles have"):
        open_bundle(bundle)


def remade(bundle: Path, **changed: bytes) -> Path:
    """List changed files correctly, as someone with write access would."""
    manifest = json.loads((bundle / layout.MANIFEST).read_bytes())
    names = {name.replace(".", "_").replace("/", "_"): name for name in manifest["files"]}
    for key, data in changed.items():
        (bundle / names[key]).write_bytes(data)
    files = {name: (bundle / name).read_bytes() for name in manifest["files"]}
    made = make_manifest(files, name=manifest["name"], created=manifest["created"], identity=manifest["identity"])
    (bundle / layout.MANIFEST).write_bytes(made.to_bytes())
    return bundle


def test_swapped_weights_with_a_correct_manifest_fail_the_golden_messages(bundle: Path) -> None:
    other = json.dumps({"calibrator": "temperature", "temperature": 9.5}).encode()

    with pytest.raises(RefusedError, match="golden"):
        open_bundle(remade(bundle, calibrator_json=other))


BAD_PARTS = {
    "a calibrator of another kind": {"calibrator_json": b'{"calibrator": "magic", "temperature": 1}'},
    "a temperature that is true": {"calibrator_json": b'{"calibrator": "temperature", "temperature": true}'},
    "a temperature of zero": {"calibrator_json": b'{"calibrator": "temperature", "temperature": 0}'},
    "a calibrator that is a list": {"calibrator_json": b"[]"},
    "no golden messages": {"golden_jsonl": b""},
    "golden messages that do not read": {"golden_jsonl": b"{}\n"},
    "detectors that do not read": {"detectors_safetensors": b"nothing"},
    "a graph that does not read": {"model_int8_onnx": b"nothing"},
    "a tokenizer that does not read": {"model_tokenizer_json": b"{}"},
    "a policy for another engine": {
        "policy_json": b'{"policy": 1, "engine": "evil.bin", "decide": {}, "fallback": {}}'
    },
    "a contract that does not read": {"contract_yaml": b"contract: 1"},
}


@pytest.mark.parametrize("changed", BAD_PARTS.values(), ids=BAD_PARTS)
def test_parts_that_do_not_load_are_refused_even_when_the_manifest_lists_them(
    changed: dict[str, bytes], bundle: Path
) -> None:
    with pytest.raises(RefusedError):
        open_bundle(remade(bundle, **changed))


def test_a_bundle_of_a_newer_format_asks_for_an_upgrade(bundle: Path) -> None:
    manifest = json.loads((bundle / layout.MANIFEST).read_bytes())
    (bundle / layout.MANIFEST).write_text(json.dumps({**manifest, "bundle": layout.FORMAT + 1}))

    with pytest.raises(InputError, match="Upgrade interlock"):
        open_bundle(bundle)


def test_what_is_no_bundle_is_said_to_be_none(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(InputError, match="is no bundle"):
            open_bundle(path)


def test_packing_over_a_bundle_is_refused_and_leaves_it_alone(built: Built, bundle: Path) -> None:
    with pytest.raises(InputError, match="already there"):
        pack({}, bundle, name="x", created="", identity={})

    assert open_bundle(bundle).digest == built.bundle.digest


def test_packing_that_is_interrupted_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        pack({layout.POLICY: b"{}"}, tmp_path / "bundle", name="x", created="", identity={})

    assert list(tmp_path.iterdir()) == []


def test_a_file_of_no_known_name_is_not_packed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no place for"):
        pack({"notes.txt": b""}, tmp_path / "b", name="x", created="", identity={})
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_gate_is_one_finite_number(tiny: Path) -> None:
    for value, said in ((np.array([np.nan]), "finite"), (np.array([1.0, 2.0]), "one finite number")):
        with pytest.raises(RefusedError, match=said):
            open_bundle(remade(tiny, detectors_safetensors=save({"unknown.energy.threshold": value})))
    assert open_bundle(remade(tiny, detectors_safetensors=save({}))).predictor.unknown is None


SOUND = {
    "unknown.knn.threshold": np.array([-0.5]),
    "unknown.knn.references": np.eye(3, dtype=np.float16),
    "unknown.knn.starts": np.array([0, 1, 2, 3]),
}


@pytest.mark.parametrize(
    "change",
    [
        {"unknown.knn.starts": np.array([0, 1, 2, 4])},
        {"unknown.knn.starts": np.array([0, 2, 1, 3])},
        {"unknown.knn.starts": np.array([1, 1, 2, 3])},
        {"unknown.knn.starts": np.array([0, 3])},
        {"unknown.knn.starts": np.array([0.0, 1.0, 2.0, 3.0])},
        {"unknown.knn.references": np.zeros(3, dtype=np.float16)},
        {"unknown.knn.references": np.full((3, 3), np.inf, dtype=np.float16)},
        {"unknown.knn.more": np.zeros(1)},
        {"unknown.energy.threshold": np.array([1.0])},
        {"unknown.magic.threshold": np.array([1.0]), "unknown.knn.threshold": None},
        {"unknown.knn.threshold": None},
        {"unknown.knn.starts": None},
    ],
    ids=str,
)
def test_arrays_of_the_unknown_gate_that_do_not_fit_are_refused(
    tiny: Path, change: dict[str, np.ndarray | None]
) -> None:
    arrays = {name: data for name, data in (SOUND | change).items() if data is not None}

    with pytest.raises(RefusedError):
        open_bundle(remade(tiny, detectors_safetensors=save(arrays)))


def test_golden_logits_of_another_number_are_refused(tiny: Path) -> None:
    lines = [json.loads(line) for line in (tiny / layout.GOLDEN).read_bytes().splitlines()]
    lines[0]["logits"].append(0.0)

    with pytest.raises(RefusedError, match="3 numbers"):
        open_bundle(remade(tiny, golden_jsonl="\n".join(map(json.dumps, lines)).encode()))


def test_an_opened_bundle_gives_its_contract_and_receipt(tiny: Path) -> None:
    opened = open_bundle(tiny)

    assert opened.contract.name == opened.manifest.name == "tiny"
    assert [row.id for row in opened.receipt().rows][:2] == ["r00", "r01"]


def test_a_write_that_fails_leaves_the_old_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))

    with pytest.raises(OSError, match="disk full"):
        write_whole(tmp_path / "f", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").read_bytes() == b"old"


def test_an_opened_bundle_says_why_as_it_decides(tiny: Path) -> None:
    opened = open_bundle(tiny)
    found = opened.explain("yes sure", occlusion=True)

    assert found.leading[0].label == opened.decide("yes sure").label == "yes"
    assert {word.word for word in found.words or ()} == {"yes", "sure"}


@pytest.mark.parametrize(("away", "opens"), [(0.5, True), (0.5 + 2**-20, False)])
def test_golden_logits_may_be_away_by_the_tolerance_and_no_further(
    away: float, *, opens: bool, tiny_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interlock.bundle.open.GOLDEN_TOLERANCE", 0.5)  # sums of halves are exact
    lines = [json.loads(line) for line in tiny_files[layout.GOLDEN].splitlines()]
    for line in lines:
        line["logits"] = [value + away for value in line["logits"]]
    moved = {**tiny_files, layout.GOLDEN: b"".join(json.dumps(line).encode() + b"\n" for line in lines)}
    pack(moved, tmp_path / "moved", name="tiny", created="", identity={})

    if opens:
        open_bundle(tmp_path / "moved")
        return
    with pytest.raises(RefusedError, match="does not repeat"):
        open_bundle(tmp_path / "moved")


def test_a_bundle_knows_words_and_whoever_ignores_them_fails_its_replay(
    built: Built, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    golden = [json.loads(line)["decision"]["reason"] for line in (bundle / layout.GOLDEN).read_bytes().splitlines()]
    assert built.bundle.predictor.words is not None
    assert golden.count("unknown_words") == 1

    monkeypatch.setattr("interlock.bundle.open.read_words", lambda *_: None)  # an older reader
    with pytest.raises(RefusedError, match="golden"):
        open_bundle(bundle)
