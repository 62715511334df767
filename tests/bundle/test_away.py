"""What cannot be read, or is not there, refuses by name: a registry far away, arrays that are none, names that move."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from interlock.bundle import layout
from interlock.bundle.manifest import make_manifest, parse_manifest
from interlock.bundle.parts import detector_bytes, read_neighbours, read_several, read_unknown
from interlock.bundle.read import Verified, read_verified
from interlock.bundle.shelf import OWNER, RemoteShelf, Shelf, open_shelf, write_verified
from interlock.core.errors import InputError, MissingExtraError, RefusedError
from interlock.predict.several import SIGNS, SeveralDetector
from interlock.testing import tiny_contract


class Away:
    """A file system whose other side answers nothing but what a test says."""

    def __init__(self, **answers: Any) -> None:
        self._answers = {"invalidate_cache": None, **answers}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*_given: Any, **_named: Any) -> Any:
            if name not in self._answers:
                raise TimeoutError("no answer")
            return self._answers[name]

        return ask


def shelf(**answers: Any) -> Shelf:
    made = RemoteShelf.__new__(RemoteShelf)
    made._files, made._root = Away(**answers), "bucket"
    return made


DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    "use",
    [
        lambda: shelf().owner(),
        lambda: shelf(exists=True).owner(),
        lambda: shelf(exists=True, size=10).owner(),
        lambda: shelf().claim("me"),
        lambda: shelf(makedirs=None).claim("me"),
        lambda: shelf().fetch(DIGEST),
        lambda: shelf(exists=True).fetch(DIGEST),
        lambda: shelf().remove(DIGEST),
        lambda: shelf(exists=True).remove(DIGEST),
        lambda: shelf(exists=True, rm_file=None).remove(DIGEST),
    ],
)
def test_a_registry_that_does_not_answer_refuses_whatever_was_asked(use: Callable[[], object]) -> None:
    with pytest.raises(RefusedError, match="the registry failed"):
        use()


@pytest.mark.parametrize("size", [None, 10**9, float("nan")])
def test_nothing_is_read_whose_size_is_unknown_or_too_large(size: object) -> None:
    with pytest.raises(RefusedError, match="at most"):
        shelf(exists=True, size=size, cat_file=b"{}").owner()


@pytest.mark.parametrize("data", [b"{}", b"[]", b'{"registry":2,"store":"x"}', b'{"registry":1,"store":7}'])
def test_a_mark_of_something_else_is_no_owner(data: bytes, tmp_path: Path) -> None:
    (tmp_path / OWNER).write_bytes(data)
    for one in (shelf(exists=True, size=len(data), cat_file=data), open_shelf(tmp_path)):
        with pytest.raises(RefusedError, match="marks no registry"):
            one.owner()


def test_a_url_without_what_reads_it_names_the_extra_and_one_of_no_kind_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(InputError, match="no registry"):
        open_shelf("nosuchprotocol://bucket")
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(MissingExtraError, match="remote"):
        open_shelf("s3://bucket")


def test_arrays_that_do_not_read_refuse() -> None:
    with pytest.raises(RefusedError, match="does not read"):
        read_unknown({layout.DETECTORS: b"nothing"}, tiny_contract())
    with pytest.raises(RefusedError, match="does not read"):
        read_neighbours({layout.NEIGHBOURS: b"nothing"}, tiny_contract())
    assert read_neighbours({}, tiny_contract()) is None


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_detector_of_several_intents_comes_back_as_it_was_packed(order: Literal["C", "F"]) -> None:
    made = SeveralDetector(
        numbers=np.array([1.0, 2.0]),
        weights=np.asarray(np.arange(2.0 * SIGNS).reshape(2, SIGNS), order=order),
        bias=np.array([0.5, -0.5]),
        mean=np.zeros(SIGNS),
        scale=np.ones(SIGNS),
        threshold=0.75,
    )
    found = read_several({layout.DETECTORS: detector_bytes(None, made)})

    assert found is not None
    assert found.threshold == 0.75
    assert np.array_equal(found.weights, made.weights)
    assert read_several({layout.DETECTORS: detector_bytes(None)}) is None


def test_a_folder_whose_names_go_while_they_are_read_refuses(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_folder: int) -> Any:
        raise FileNotFoundError("gone")

    monkeypatch.setattr(os, "scandir", gone)
    with pytest.raises(RefusedError, match="the bundle changed"):
        read_verified(tiny)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_a_disk_that_fails_keeps_no_bundle_and_is_not_taken_for_a_faster_push(
    error: int, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    verified, kept = read_verified(tiny), open_shelf(tmp_path / "registry")
    monkeypatch.setattr("interlock.bundle.pack.write_new", failing)
    with pytest.raises(OSError, match=os.strerror(error)):
        kept.put(verified)
    with pytest.raises(InputError, match="no such bundle"):
        kept.fetch(verified.digest)


def test_whoever_claims_a_folder_first_owns_it(tmp_path: Path) -> None:
    one = open_shelf(tmp_path)
    one.claim("first")
    one.claim("second")

    assert one.owner() == "first"


@pytest.mark.parametrize(("letters", "reads"), [(0, False), (1, True), (200, True), (201, False)])
def test_a_bundle_s_name_has_1_to_200_letters(letters: int, *, reads: bool, tiny_files: dict[str, bytes]) -> None:
    made = make_manifest(tiny_files, name="tiny", created="", identity={}).to_bytes()
    named = made.replace(b'"name":"tiny"', b'"name":"' + b"x" * letters + b'"')

    if reads:
        assert len(parse_manifest(named, where="m").name) == letters
        return
    with pytest.raises(RefusedError, match="name"):
        parse_manifest(named, where="m")


def test_a_push_that_another_was_faster_than_keeps_what_is_there(
    signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified, kept = read_verified(signed), open_shelf(tmp_path / "registry")

    def twice(given: Verified, folder: Path) -> None:
        write_verified(given, folder)  # the other push
        write_verified(given, folder)

    monkeypatch.setattr("interlock.bundle.shelf.write_verified", twice)
    kept.put(verified)

    assert kept.fetch(verified.digest).signature == verified.signature


def test_a_bundle_removed_while_it_is_pushed_is_to_be_pushed_again(
    signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interlock.bundle.shelf.write_verified", lambda *_: None)  # gone again at once

    with pytest.raises(RefusedError, match="push again"):
        open_shelf(tmp_path / "registry").put(read_verified(signed))
