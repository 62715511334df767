"""Bundles under attack: flipped bits, exchanged parts, parts listed again. Only typed refusals."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from interlock.bundle import layout
from interlock.bundle.keys import SigningKey
from interlock.bundle.layout import MANIFEST
from interlock.bundle.manifest import make_manifest
from interlock.bundle.open import open_bundle
from interlock.bundle.read import read_verified
from interlock.bundle.sign import sign_bundle, signers
from interlock.bundle.trust import Trust
from interlock.core.errors import InterlockError, RefusedError

Files = dict[str, bytes]
MakeFiles = Callable[..., Files]
PackFiles = Callable[..., Path]
NOW = datetime(2026, 5, 1, tzinfo=UTC)
WEIGHT_FILES = (layout.GRAPH, layout.GRAPH_INT8, "model/model.safetensors", layout.TOKENIZER, layout.DETECTORS)


def every_file(bundle: Path) -> list[str]:
    return sorted(path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file())


def flips(bundle: Path, name: str, bits: range | list[int]) -> Iterator[tuple[str, int]]:
    """Flip one bit of a file at a time, in place; the file is whole again after each."""
    whole = (bundle / name).read_bytes()
    with (bundle / name).open("r+b", buffering=0) as file:
        for bit in bits:
            os.pwrite(file.fileno(), bytes([whole[bit // 8] ^ 1 << bit % 8]), bit // 8)
            yield name, bit
            os.pwrite(file.fileno(), whole[bit // 8 : bit // 8 + 1], bit // 8)


def checked(bundle: Path, trust: Trust) -> None:
    """Do what opening does up to the point where the first byte would be used."""
    verified = read_verified(bundle)
    signers(verified.signature, verified.listing, trust, now=NOW)


def refused_flips(bundle: Path, trust: Trust, *, step: int) -> tuple[int, int]:
    tried = refused = 0
    for name in every_file(bundle):
        size = (bundle / name).stat().st_size * 8
        for _ in flips(bundle, name, range(tried % step, size, step)):
            tried += 1
            try:
                checked(bundle, trust)
            except RefusedError:
                refused += 1
            except InterlockError as error:  # a larger format number asks for an upgrade
                refused += "newer format" in str(error)
    return tried, refused


def test_one_flipped_bit_in_any_file_of_a_signed_bundle_is_refused(signed: Path, trust: Trust) -> None:
    tried, refused = refused_flips(signed, trust, step=37)

    assert tried == refused > 1_000
    open_bundle(signed, trust)  # and whole again it opens


@pytest.mark.slow
def test_every_flipped_bit_of_every_file_of_a_signed_bundle_is_refused(signed: Path, trust: Trust) -> None:
    tried, refused = refused_flips(signed, trust, step=1)

    assert tried == refused == 8 * sum((signed / name).stat().st_size for name in every_file(signed))


def random_flips(bundle: Path, trust: Trust, *, count: int) -> tuple[int, int]:
    chance, tried, refused = random.Random(7), 0, 0
    for name in WEIGHT_FILES:
        size = (bundle / name).stat().st_size * 8
        for _ in flips(bundle, name, [chance.randrange(size) for _ in range(count)]):
            tried += 1
            try:
                checked(bundle, trust)
            except RefusedError as error:
                refused += name in str(error)
    return tried, refused


def test_random_bits_of_weights_are_refused_by_name(signed: Path, trust: Trust) -> None:
    assert random_flips(signed, trust, count=50) == (250, 250)


@pytest.mark.slow
def test_a_thousand_random_bits_of_every_weight_file_are_refused_by_name(signed: Path, trust: Trust) -> None:
    assert random_flips(signed, trust, count=1000) == (5000, 5000)


def relisted(bundle: Path, files: Files) -> str:
    """Open a bundle of spoiled files whose manifest is right: what someone with write access and no key can leave."""
    made = make_manifest(files, name="tiny", created="", identity={})
    for name, data in {**files, MANIFEST: made.to_bytes()}.items():
        if (bundle / name).read_bytes() != data:
            (bundle / name).write_bytes(data)
    try:
        open_bundle(bundle)
    except InterlockError:
        return "refused"
    return "opened"


def flipped(files: Files, name: str, bit: int) -> Files:
    spoiled = bytearray(files[name])
    spoiled[bit // 8] ^= 1 << bit % 8
    return {**files, name: bytes(spoiled)}


def test_parts_with_a_flipped_bit_that_are_listed_again_raise_nothing_but_refusals(
    tiny: Path, tiny_files: Files
) -> None:
    chance = random.Random(11)
    bits = [(name, bit) for name, data in tiny_files.items() for bit in range(len(data) * 8)]
    found = {relisted(tiny, flipped(tiny_files, *bit)) for bit in chance.sample(bits, 250)}

    assert found == {"refused", "opened"}  # a letter of a card is another letter: only a signature can tell


@pytest.mark.slow
def test_no_flipped_bit_of_any_part_raises_anything_but_a_refusal(tiny: Path, tiny_files: Files) -> None:
    for name, data in tiny_files.items():
        for bit in range(len(data) * 8):
            relisted(tiny, flipped(tiny_files, name, bit))


@pytest.mark.parametrize("name", [layout.CALIBRATOR, layout.POLICY, layout.GRAPH_INT8, layout.CONTRACT])
def test_a_part_of_another_signed_bundle_is_refused_by_name(
    name: str,
    signed: Path,
    keys: dict[str, SigningKey],
    trust: Trust,
    make_files: MakeFiles,
    make_graph: Callable[..., bytes],
    pack_files: PackFiles,
    tmp_path: Path,
) -> None:
    other = second_bundle(tmp_path / "other", keys, make_files, make_graph, pack_files)
    shutil.copy(other / name, signed / name)

    with pytest.raises(RefusedError, match=name):
        open_bundle(signed, trust)


def second_bundle(
    folder: Path,
    keys: dict[str, SigningKey],
    make_files: MakeFiles,
    make_graph: Callable[..., bytes],
    pack_files: PackFiles,
) -> Path:
    """Return a valid signed bundle every file of which differs from the small bundle's."""
    import numpy as np

    table = np.array([[0, 0], [4, -4], [3, -3], [-4, 4], [-3, 3], [0, 0]], dtype=np.float32)
    first = make_files()
    files = make_files(
        contract_yaml=first[layout.CONTRACT].replace(b"0.55", b"0.60"),
        model_onnx=make_graph(table),
        model_int8_onnx=make_graph(table * np.float32(1.1)),
        calibrator_json=b'{"calibrator":"temperature","temperature":1.25}',
        policy_json=first[layout.POLICY].replace(b"0.55", b"0.6"),
    )
    for name in files.keys() & {
        layout.TOKENIZER,
        "model/config.json",
        layout.CARD,
        layout.LABEL_GUIDE,
        layout.DATA_CARD,
    }:
        files[name] += b"\n"
    for name in ("model/model.safetensors", layout.DETECTORS):
        files[name] = grown_header(files[name])
    files[layout.RECEIPT] += b"\n"
    assert all(files[name] != first[name] for name in first)
    pack_files(folder, files, name="other")
    for person in ("alice", "bob"):
        sign_bundle(folder, read_verified(folder), keys[person])
    open_bundle(folder)
    return folder


def grown_header(data: bytes) -> bytes:
    """Return the same tensors under a header eight spaces longer."""
    size = int.from_bytes(data[:8], "little")
    return (size + 8).to_bytes(8, "little") + data[8 : 8 + size] + b" " * 8 + data[8 + size :]


def test_no_mixture_of_two_signed_bundles_opens(
    signed: Path,
    keys: dict[str, SigningKey],
    trust: Trust,
    make_files: MakeFiles,
    make_graph: Callable[..., bytes],
    pack_files: PackFiles,
    tmp_path: Path,
) -> None:
    other = second_bundle(tmp_path / "other", keys, make_files, make_graph, pack_files)
    names, tried = every_file(signed), 0
    assert names == every_file(other)
    own = {name: (signed / name).read_bytes() for name in names}
    theirs = {name: (other / name).read_bytes() for name in names}
    mixtures = [{one} for one in names] + [set(two) for two in itertools.combinations(names, 2)]
    mixtures += [set(names) - taken for taken in mixtures]  # nearly all of the other's
    for taken in mixtures:
        for name in names:
            if (signed / name).read_bytes() != (data := theirs[name] if name in taken else own[name]):
                (signed / name).write_bytes(data)
        tried += 1
        with pytest.raises(RefusedError):
            open_bundle(signed, trust)
    assert tried == len(mixtures) == 2 * (16 + 120)  # 14 parts, the manifest and the signature


POLICIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "an engine that is a list": lambda policy: policy.update(engine=[]),
    "an engine that is an object": lambda policy: policy.update(engine={}),
    "an engine outside": lambda policy: policy.update(engine="../model.onnx"),
    "a confidence of true": lambda policy: policy["decide"]["auto"].update(confidence=True),
    "a confidence of 2": lambda policy: policy["decide"]["auto"].update(confidence=2),
    "no decide": lambda policy: policy.pop("decide"),
    "a decide of null": lambda policy: policy.update(decide=None),
    "a fallback of null": lambda policy: policy.update(fallback=None),
}


@pytest.mark.parametrize("spoil", POLICIES.values(), ids=POLICIES)
def test_a_policy_listed_again_is_refused_with(
    spoil: Callable[[dict[str, Any]], object], tiny: Path, tiny_files: Files
) -> None:
    policy = json.loads(tiny_files[layout.POLICY])
    spoil(policy)

    assert relisted(tiny, {**tiny_files, layout.POLICY: json.dumps(policy).encode()}) == "refused"


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"x"', b"{}"])
@pytest.mark.parametrize("name", [layout.POLICY, layout.CALIBRATOR, layout.GOLDEN])
def test_json_of_another_shape_is_refused(name: str, body: bytes, tiny: Path, tiny_files: Files) -> None:
    assert relisted(tiny, {**tiny_files, name: body}) == "refused"
