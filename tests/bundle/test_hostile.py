"""Hostile names, files and JSON: refused by type before anything of them is used."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from interlock.bundle import layout
from interlock.bundle.layout import MANIFEST, SIGNATURE
from interlock.bundle.manifest import parse_manifest
from interlock.bundle.open import open_bundle
from interlock.bundle.read import read_verified
from interlock.core.canonical import canonical
from interlock.core.errors import RefusedError

FILES_OPEN = Path("/proc/self/fd")
NAMES = {
    "one folder up": "../policy.json",
    "absolute": "/etc/passwd",
    "up and down": "model/../../b",
    "backslashes": "model\\config.json",
    "escaped dots": "%2e%2e/policy.json",
    "escaped twice": "%252e%252e/policy.json",
    "NUL": "policy.json\0.onnx",
    "trailing dot": "policy.json.",
    "trailing space": "policy.json ",
    "another case": "Policy.json",
    "decomposed letters": "po\u0301licy.json",
    "full width": "\uff50olicy.json",
    "a device of Windows": "CON",
    "a stream of NTFS": "policy.json::$DATA",
    "a doubled slash": "model//config.json",
    "here": "./policy.json",
    "empty": "",
    "a dot": ".",
    "two dots": "..",
    "a pickle": "model/pytorch_model.bin",
    "a checkpoint": "model/model.pt",
    "a joblib": "calibrator.joblib",
    "an array of objects": "model/weights.npy",
    "a module": "model/modeling_evil.py",
    "a chat template": "model/chat_template.jinja",
    "external data": "model.onnx.data",
    "a shared library": "custom_ops.so",
    "a keras archive": "model/model.keras",
    "the manifest itself": MANIFEST,
    "the signature": SIGNATURE,
    "right to left": "\u202egnp.exe",
    "very long": "a" * 5000,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_manifest_that_lists_another_name_is_refused_before_anything_is_read(name: str, tiny: Path) -> None:
    body = json.loads((tiny / MANIFEST).read_bytes())
    body["files"][name] = {"size": 1, "sha256": "sha256:" + "0" * 64}
    (tiny / MANIFEST).write_text(json.dumps(body), encoding="utf-8")

    with pytest.raises(RefusedError, match="a file bundles have"):
        open_bundle(tiny)


BELOW = {name for name in NAMES.values() if "/" in name.removeprefix("model/") or name in {"", ".", ".."}}
EXTRA = [name for name in NAMES.values() if name not in {*BELOW, MANIFEST, SIGNATURE} and "\0" not in name][:-1]


@pytest.mark.parametrize("name", EXTRA)
def test_a_file_of_another_name_in_the_folder_is_refused(name: str, tiny: Path) -> None:
    (tiny / name).write_bytes(b"x")

    with pytest.raises(RefusedError, match="an extra file"):
        open_bundle(tiny)


def linked(path: Path) -> None:
    path.rename(path.parent.parent / "moved")
    path.symlink_to(path.parent.parent / "moved")


def replaced(path: Path, make: Callable[[Path], object]) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    make(path)


def made_deep(bundle: Path) -> None:
    (bundle / "model/a/b").mkdir(parents=True)
    (bundle / "model/a/b/c").write_bytes(b"")


def one_byte_less(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


FILES: dict[str, Callable[[Path], object]] = {
    "a link to the same bytes": lambda b: linked(b / layout.POLICY),
    "a link that leads nowhere": lambda b: replaced(b / layout.POLICY, lambda p: p.symlink_to("nowhere")),
    "a link to itself": lambda b: replaced(b / layout.POLICY, lambda p: p.symlink_to(layout.POLICY)),
    "a linked folder": lambda b: linked(b / "model"),
    "a linked manifest": lambda b: linked(b / MANIFEST),
    "a linked signature": lambda b: (b / SIGNATURE).symlink_to(b / layout.POLICY),
    "a second name": lambda b: os.link(b / layout.POLICY, b.parent / "second"),
    "a manifest with a second name": lambda b: os.link(b / MANIFEST, b.parent / "second"),
    "a pipe": lambda b: replaced(b / layout.POLICY, os.mkfifo),
    "a pipe as signature": lambda b: os.mkfifo(b / SIGNATURE),
    "a device": lambda b: replaced(b / layout.POLICY, lambda p: os.mknod(p, 0o20666, os.makedev(1, 5))),
    "a folder in a file's place": lambda b: replaced(b / layout.POLICY, os.mkdir),
    "a file in a folder's place": lambda b: replaced(b / "model", lambda p: p.write_bytes(b"")),
    "a terabyte of nothing": lambda b: os.truncate(b / layout.GRAPH, 10**12),
    "a terabyte of manifest": lambda b: os.truncate(b / MANIFEST, 10**12),
    "an empty file": lambda b: (b / layout.CARD).write_bytes(b""),
    "a missing file": lambda b: (b / layout.CARD).unlink(),
    "a missing folder": lambda b: shutil.rmtree(b / "model"),
    "a longer file": lambda b: (b / layout.CARD).write_bytes((b / layout.CARD).read_bytes() + b"\n"),
    "a shorter file": lambda b: one_byte_less(b / layout.CARD),
    "an extra folder": lambda b: (b / "extra").mkdir(),
    "a hidden file": lambda b: (b / ".hidden").write_bytes(b""),
    "a file deep below": made_deep,
    "a name that is no UTF-8": lambda b: Path(os.fsdecode(os.fsencode(b) + b"/\xff\xfe")).write_bytes(b""),
}


@pytest.mark.parametrize("spoil", FILES.values(), ids=FILES)
def test_a_folder_is_refused_with(spoil: Callable[[Path], object], tiny: Path) -> None:
    try:
        spoil(tiny)
    except PermissionError:
        pytest.skip("making a device needs root")

    with pytest.raises(RefusedError):
        open_bundle(tiny)


def test_folders_within_folders_do_not_exhaust_the_reader(tiny: Path) -> None:
    here = os.open(tiny / "model", os.O_RDONLY)
    for _ in range(sys.getrecursionlimit() + 100):
        os.mkdir("a", dir_fd=here)
        below = os.open("a", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)

    with pytest.raises(RefusedError, match="model/a"):
        open_bundle(tiny)
    subprocess.run(["rm", "-rf", tiny], check=True)  # noqa: S607 - Python's own removal is recursive


def with_file(body: dict[str, Any], **listed: object) -> dict[str, Any]:
    return {**body, "files": {**body["files"], layout.CARD: {**body["files"][layout.CARD], **listed}}}


def hostile(manifest: bytes) -> dict[str, bytes]:
    """Return manifests that are no manifests."""
    body = json.loads(manifest)
    text = manifest.decode()

    def said(value: object) -> bytes:
        return json.dumps(value).encode()

    return {
        "a key twice": manifest[:-1] + b',"bundle":1}',
        "a file twice": text.replace('"files":{', '"files":{"card.md":{"size":0,"sha256":"x"},').encode(),
        "a byte order mark": b"\xef\xbb\xbf" + manifest,
        "more after the end": manifest + b"{}",
        "UTF-16": text.encode("utf-16"),
        "no UTF-8": manifest.replace(b"tiny", b"t\xffny", 1),
        "an overlong letter": manifest.replace(b"tiny", b"t\xc0\xaey", 1),
        "half a character": manifest.replace(b'"tiny"', b'"\\ud800"', 1),
        "a size of NaN": text.replace('"size":7', '"size":NaN', 1).encode(),
        "a size of Infinity": text.replace('"size":7', '"size":Infinity', 1).encode(),
        "a size of 1e309": text.replace('"size":7', '"size":1e309', 1).encode(),
        "a size of 2**53": said(with_file(body, size=2**53)),
        "a size of 4301 digits": text.replace('"size":7', '"size":' + "9" * 4301, 1).encode(),
        "a size of 7.0": said(with_file(body, size=7.0)),
        "a size of minus one": said(with_file(body, size=-1)),
        "a size of minus zero": said(with_file(body, size=-0.0)),
        "a size of true": said(with_file(body, size=True)),
        "a size in letters": said(with_file(body, size="7")),
        "a size of null": said(with_file(body, size=None)),
        "a size beyond any file": said(with_file(body, size=layout.MAX_TEXT_BYTES + 1)),
        "a digest in capitals": said(with_file(body, sha256="SHA256:" + "0" * 64)),
        "a digest of another kind": said(with_file(body, sha256="md5:" + "0" * 32)),
        "a digest with a line break": said(with_file(body, sha256=body["files"][layout.CARD]["sha256"] + "\n")),
        "an unknown field": said({**body, "scripts": ["x"]}),
        "an unknown field of a file": said(with_file(body, mode=0o777)),
        "no files": said({**body, "files": {}}),
        "files as a list": said({**body, "files": list(body["files"])}),
        "format 0": said({**body, "bundle": 0}),
        "format true": said({**body, "bundle": True}),
        "format 1.0": said({**body, "bundle": 1.0}),
        "format in letters": said({**body, "bundle": "1"}),
        "identity of numbers": said({**body, "identity": {"a": 1}}),
        "a hundred thousand brackets": b"[" * 10**5,
        "a hundred thousand objects": b'{"a":' * 10**5,
        "a long key": said({"k" * 900_000: 1}),
        "ten megabytes": b" " * 10**7,
        "nothing": b"",
        "null": b"null",
        "a string": b'"manifest"',
        "a number": b"1",
    }


def test_no_hostile_manifest_is_read(tiny: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cases = hostile((tiny / MANIFEST).read_bytes())
    for what, data in cases.items():
        (tiny / MANIFEST).write_bytes(data)
        try:
            open_bundle(tiny)
        except RefusedError:
            continue
        pytest.fail(f"opened with {what}")

    assert len(cases) == 40
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


@pytest.mark.parametrize(
    ("name", "most"),
    [(layout.GRAPH, 2_147_483_647), ("model/model.safetensors", 2_147_483_647), (layout.CARD, 256_000_000)],
)
def test_a_file_may_be_listed_as_large_as_such_a_file_can_be_and_no_larger(name: str, most: int, tiny: Path) -> None:
    body = json.loads((tiny / MANIFEST).read_bytes())

    body["files"][name]["size"] = most
    assert parse_manifest(canonical(body), where=MANIFEST).files[name].size == most
    body["files"][name]["size"] = most + 1
    with pytest.raises(RefusedError, match="does not list a bundle"):
        parse_manifest(canonical(body), where=MANIFEST)


def test_what_does_not_belong_to_a_bundle_is_called_what_it_is(tiny: Path) -> None:
    (tiny / "file").write_bytes(b"")
    (tiny / "folder").mkdir()
    (tiny / "link").symlink_to("card.md")

    with pytest.raises(RefusedError) as refused:
        open_bundle(tiny)
    found = {(problem.where.rpartition("/")[2], problem.got) for problem in refused.value.problems}
    assert found == {("file", "an extra file"), ("folder", "an extra folder"), ("link", "a link, device or pipe")}


def test_parts_too_large_together_are_refused_before_they_are_read(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from interlock.bundle import manifest

    monkeypatch.setattr(manifest, "MAX_BUNDLE_BYTES", 3000)

    with pytest.raises(RefusedError, match="bytes together"):
        open_bundle(tiny)


@pytest.mark.skipif(not FILES_OPEN.is_dir(), reason="this system does not list them")
@pytest.mark.parametrize("spoil", ["nothing", "missing", "link", "folder", "stranger"])
def test_reading_a_bundle_leaves_no_file_open(bundle: Path, spoil: str) -> None:
    """A server that tries again and again would run out of them."""
    part = bundle / layout.CALIBRATOR
    if spoil == "stranger":
        (bundle / "model" / "stranger").write_bytes(b"")
    elif spoil != "nothing":
        part.unlink()
    if spoil == "link":
        part.symlink_to(bundle / MANIFEST)
    elif spoil == "folder":
        part.mkdir()
    before = {one.name for one in FILES_OPEN.iterdir()}
    for _ in range(3):
        with suppress(RefusedError):
            read_verified(bundle)

    assert {one.name for one in FILES_OPEN.iterdir()} == before


@pytest.mark.parametrize("put", ["nothing", "link"])
def test_a_bundle_that_goes_away_while_it_is_opened_is_refused(
    bundle: Path, put: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = Path.resolve

    def gone(path: Path) -> Path:
        found = resolve(path)
        found.rename(found.with_name("moved"))
        if put == "link":
            found.symlink_to(found.with_name("moved"))
        return found

    monkeypatch.setattr(Path, "resolve", gone)
    with pytest.raises(RefusedError, match="the bundle changed"):
        read_verified(bundle)
