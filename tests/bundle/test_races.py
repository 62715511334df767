"""Files exchanged while a bundle is opened: no byte is used that was not verified.

The harness first proves itself on a loader that verifies a path and then reads it again.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import time
from collections.abc import Callable
from ctypes import c_long
from datetime import UTC, datetime
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import numpy as np
import pytest

from interlock.bundle.layout import GRAPH_INT8
from interlock.bundle.open import open_bundle
from interlock.bundle.read import read_verified
from interlock.bundle.sign import signers
from interlock.bundle.trust import Trust
from interlock.core.errors import InputError, RefusedError

NOW = datetime(2026, 5, 1, tzinfo=UTC)
Loader = Callable[[Path, Trust], bytes]


def careful(bundle: Path, trust: Trust) -> bytes:
    """What opening does: the bytes that were verified."""
    verified = read_verified(bundle)
    signers(verified.signature, verified.listing, trust, now=NOW)
    return verified.files[GRAPH_INT8]


def careless(bundle: Path, trust: Trust) -> bytes:
    """Verify a path, then read the path: what most loaders do."""
    careful(bundle, trust)
    return (bundle / GRAPH_INT8).read_bytes()


def exchange(bundle: Path, evil: bytes, swaps: Synchronized[int]) -> None:
    """Exchange the graph again and again: another file, a link, a folder, or bytes written over in place."""
    path, model = bundle / GRAPH_INT8, bundle / "model"
    good, beside = path.read_bytes(), bundle.parent
    (beside / "evil.onnx").write_bytes(evil)
    for turn in itertools.count():
        kind, back = turn // 2 % 4, turn % 2
        if kind == 0:  # another file
            (beside / "new").write_bytes(good if back else evil)
            (beside / "new").replace(path)
        elif kind == 1 and back:
            (beside / "new").write_bytes(good)
            (beside / "new").replace(path)
        elif kind == 1:  # a link to it
            (beside / "link").symlink_to(beside / "evil.onnx")
            (beside / "link").replace(path)
        elif kind == 2:
            with path.open("r+b", buffering=0) as file:
                os.pwrite(file.fileno(), good if back else evil, 0)
        elif back:  # a folder out of the way and back
            (beside / "aside").rename(model)
        else:
            model.rename(beside / "aside")
        with swaps.get_lock():
            swaps.value += 1


def attacked(load: Loader, bundle: Path, trust: Trust, evil: bytes, *, swaps: int) -> tuple[int, int, int]:
    """Load again and again under exchanges; return how often it was refused, loaded, and loaded unverified bytes."""
    good, count = (bundle / GRAPH_INT8).read_bytes(), multiprocessing.get_context("spawn").Value(c_long, 0)
    attacker = multiprocessing.get_context("spawn").Process(target=exchange, args=(bundle, evil, count), daemon=True)
    refused = loaded = unverified = 0
    attacker.start()
    try:
        limit = time.monotonic() + 300
        while count.value < swaps and time.monotonic() < limit:
            try:
                found = load(bundle, trust)
            except (RefusedError, InputError):
                refused += 1
            else:
                loaded += 1
                unverified += found != good
    finally:
        attacker.kill()
        attacker.join()
    assert count.value >= swaps
    return refused, loaded, unverified


@pytest.fixture
def evil(make_graph: Callable[..., bytes]) -> bytes:
    """A graph of the same size that says the opposite."""
    table = np.array([[0, 0], [-3, 3], [-2, 2], [3, -3], [2, -2], [0, 0.1]], dtype=np.float32)
    return make_graph(table * np.float32(1.01))


def test_exchanges_catch_a_loader_that_reads_a_path_twice(signed: Path, trust: Trust, evil: bytes) -> None:
    refused, loaded, unverified = attacked(careless, signed, trust, evil, swaps=1500)

    assert refused > 0
    assert loaded > 0
    assert unverified > 0  # else the harness would prove nothing


def test_no_exchange_makes_opening_use_unverified_bytes(signed: Path, trust: Trust, evil: bytes) -> None:
    refused, loaded, unverified = attacked(careful, signed, trust, evil, swaps=1500)

    assert refused > 0
    assert loaded > 0
    assert unverified == 0


def opening(bundle: Path, trust: Trust) -> bytes:
    """Open for good, and decide: the other graph says no."""
    opened = open_bundle(bundle, trust)
    assert opened.decide("yes sure").label == "yes"
    return opened.verified.files[GRAPH_INT8]


@pytest.mark.slow
@pytest.mark.parametrize("load", [careful, opening])
def test_ten_thousand_exchanges_load_no_unverified_byte(load: Loader, signed: Path, trust: Trust, evil: bytes) -> None:
    refused, loaded, unverified = attacked(load, signed, trust, evil, swaps=10_000)
    print(f"{load.__name__}: {refused} refused, {loaded} loaded, {unverified} unverified")  # noqa: T201 - a proof

    assert min(refused, loaded) > 0
    assert unverified == 0
