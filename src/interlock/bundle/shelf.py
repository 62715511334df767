"""Bundles kept by their digest, in a folder or at any fsspec URL. Knows no aliases and no database.

Layout: ``registry.json`` says whose registry it is, ``bundles/<64 hex digits>/`` is a bundle like any other. In a
folder a bundle appears and vanishes at once, by a rename; at a URL its manifest is written last and removed first, and
what has no manifest is no bundle. Whatever is read is verified, and the digest that was asked for is pinned.
"""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from interlock.bundle.durable import flush_folder, write_new
from interlock.bundle.layout import MANIFEST, MAX_MANIFEST_BYTES, MAX_SIGNATURE_BYTES, SIGNATURE
from interlock.bundle.manifest import parse_manifest
from interlock.bundle.pack import write_folder
from interlock.bundle.read import Verified, check_listed, read_verified
from interlock.bundle.sign import PAYLOAD_TYPE, add_signatures, envelope_of, signatures_of
from interlock.core.canonical import canonical, read_json
from interlock.core.errors import InputError, MissingExtraError, Problem, RefusedError

OWNER, BUNDLES = "registry.json", "bundles"


class Shelf(Protocol):
    """Where bundles are kept."""

    def owner(self) -> str | None:
        """Return the id of the store it belongs to, if it belongs to one."""
        ...

    def claim(self, owner: str) -> None:
        """Say that it belongs to a store."""
        ...

    def put(self, verified: Verified) -> None:
        """Keep a bundle; signatures of one that is there are joined."""
        ...

    def fetch(self, digest: str) -> Verified:
        """Return a verified bundle."""
        ...

    def remove(self, digest: str) -> None:
        """Remove a bundle, or what is left of one."""
        ...


def open_shelf(where: str | Path) -> Shelf:
    """Return the shelf of a folder, or of an fsspec URL.

    Raises:
        MissingExtraError: a URL, and fsspec or what the URL needs is not installed.
    """
    text = str(where)
    return RemoteShelf(text) if "://" in text else LocalShelf(Path(where))


def hex_of(digest: str) -> str:
    """Return the 64 digits of a digest.

    Raises:
        InputError: it is none; nothing else ever becomes a path.
    """
    kind, _, digits = digest.partition(":")
    if kind != "sha256" or len(digits) != 64 or not set(digits) <= set("0123456789abcdef"):  # noqa: PLR2004 - SHA-256
        raise InputError("this is no digest", [Problem("registry", "digest", "sha256: and 64 digits", digest[:100])])
    return digits


def write_verified(verified: Verified, folder: Path) -> None:
    """Write a bundle as a folder that is whole or not there."""
    signature = {SIGNATURE: verified.signature} if verified.signature is not None else {}
    write_folder({**verified.files, **signature, MANIFEST: verified.listing}, folder)


class LocalShelf:
    """Bundles in a folder."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, which need not be there yet."""
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Return where a bundle of this digest is, if it is there."""
        return self._folder / BUNDLES / hex_of(digest)

    def owner(self) -> str | None:
        """Return the id of the store it belongs to, if it belongs to one."""
        path = self._folder / OWNER
        return _owner(path.read_bytes(), str(path)) if path.exists() else None

    def claim(self, owner: str) -> None:
        """Say that it belongs to a store."""
        try:
            write_new(self._folder / OWNER, canonical({"registry": 1, "store": owner}))
        except FileExistsError:
            return  # another process was faster; the caller looks again
        flush_folder(self._folder)

    def put(self, verified: Verified) -> None:
        """Keep a bundle; signatures of one that is there are joined."""
        folder = self.path(verified.digest)
        try:
            if not folder.exists():
                write_verified(verified, folder)
        except OSError as error:
            if error.errno not in {errno.EEXIST, errno.ENOTEMPTY}:
                raise  # otherwise another push was faster
        try:
            if verified.signature is not None:
                add_signatures(folder, verified, signatures_of(verified))
        except FileNotFoundError as error:
            problem = Problem("registry", verified.digest, "the bundle that was just pushed", "nothing")
            raise RefusedError("the bundle was removed meanwhile; push again", [problem]) from error

    def fetch(self, digest: str) -> Verified:
        """Return a verified bundle.

        Raises:
            InputError: it is not there.
            RefusedError: what is there is not it.
        """
        if not self.path(digest).is_dir():
            raise InputError("no such bundle", [Problem(str(self._folder), "bundles", digest, "nothing")])
        return _pinned(read_verified(self.path(digest)), digest)

    def remove(self, digest: str) -> None:
        """Remove a bundle, or what is left of one."""
        folder = self.path(digest)
        if folder.exists():
            leaving = Path(tempfile.mkdtemp(prefix=".leaving.", dir=folder.parent))
            folder.rename(leaving / folder.name)
            flush_folder(folder.parent)
        for left in self._folder.glob(f"{BUNDLES}/.leaving.*"):
            shutil.rmtree(left, ignore_errors=True)


class RemoteShelf:
    """Bundles at an fsspec URL."""

    def __init__(self, url: str) -> None:
        """Use a URL.

        Raises:
            MissingExtraError: fsspec, or what it needs for this URL, is not installed.
        """
        try:
            from fsspec.core import url_to_fs

            self._files, self._root = url_to_fs(url)
        except ImportError as error:
            raise MissingExtraError(f"A registry at {url.partition('://')[0]}", "remote", missing=str(error)) from error
        except ValueError as error:
            raise InputError("this is no registry", [Problem("registry", "", "a folder or URL", url[:100])]) from error

    def owner(self) -> str | None:
        """Return the id of the store it belongs to, if it belongs to one."""
        path = f"{self._root}/{OWNER}"
        return _owner(self._read(path, MAX_MANIFEST_BYTES), path) if self._there(path) else None

    def claim(self, owner: str) -> None:
        """Say that it belongs to a store."""
        self._write(f"{self._root}/{OWNER}", canonical({"registry": 1, "store": owner}))

    def put(self, verified: Verified) -> None:
        """Keep a bundle; signatures of one that is there are joined. The manifest comes last."""
        here = self._path(verified.digest)
        signatures = signatures_of(verified)
        if self._there(f"{here}/{MANIFEST}"):
            signatures = (*signatures_of(self.fetch(verified.digest)), *signatures)
        for name, data in verified.files.items():
            self._write(f"{here}/{name}", data)
        if signatures:
            made = envelope_of(verified.listing, signatures, kind=PAYLOAD_TYPE)
            self._write(f"{here}/{SIGNATURE}", made.to_bytes())
        self._write(f"{here}/{MANIFEST}", verified.listing)

    def fetch(self, digest: str) -> Verified:
        """Return a verified bundle; only what its manifest lists is read, and no more of it than that says.

        Raises:
            InputError: it is not there.
            RefusedError: what is there is not it.
        """
        here = self._path(digest)
        if not self._there(f"{here}/{MANIFEST}"):
            raise InputError("no such bundle", [Problem(self._root, "bundles", digest, "nothing")])
        listing = self._read(f"{here}/{MANIFEST}", MAX_MANIFEST_BYTES)
        manifest = parse_manifest(listing, where=f"{here}/{MANIFEST}")
        files = {
            name: check_listed(name, self._read(f"{here}/{name}", listed.size), listed)
            for name, listed in manifest.files.items()
        }
        signed = self._there(f"{here}/{SIGNATURE}")
        signature = self._read(f"{here}/{SIGNATURE}", MAX_SIGNATURE_BYTES) if signed else None
        return _pinned(Verified(manifest, listing, files, signature), digest)

    def remove(self, digest: str) -> None:
        """Remove a bundle, or what is left of one; its manifest first."""
        here = self._path(digest)
        if self._there(f"{here}/{MANIFEST}"):
            self._answer(here, lambda: self._files.rm_file(f"{here}/{MANIFEST}"))
        if self._there(here):
            self._answer(here, lambda: self._files.rm(here, recursive=True))

    def _path(self, digest: str) -> str:
        return f"{self._root}/{BUNDLES}/{hex_of(digest)}"

    def _there(self, path: str) -> bool:
        self._answer(path, self._files.invalidate_cache)  # other processes write there too
        return bool(self._answer(path, lambda: self._files.exists(path)))

    def _write(self, path: str, data: bytes) -> None:
        self._answer(path, lambda: self._files.makedirs(path.rpartition("/")[0], exist_ok=True))
        self._answer(path, lambda: self._files.pipe_file(path, data))

    def _read(self, path: str, most: int) -> bytes:
        size = self._answer(path, lambda: self._files.size(path))
        if size is None or not size <= most:
            raise RefusedError(path, [Problem(path, "size", f"at most {most}", str(size))])
        return bytes(self._answer(path, lambda: self._files.cat_file(path, start=0, end=most + 1)))

    def _answer(self, path: str, ask: Callable[[], Any]) -> Any:
        """Ask the other side; whatever it raises refuses."""
        try:
            return ask()
        except Exception as error:
            problem = Problem(path, "", "a registry that answers", f"{type(error).__name__}: {error}"[:300])
            raise RefusedError("the registry failed", [problem]) from error


def _pinned(verified: Verified, digest: str) -> Verified:
    if verified.digest != digest:
        raise RefusedError("another bundle is there", [Problem("registry", "digest", digest, verified.digest)])
    return verified


def _owner(data: bytes, where: str) -> str:
    body = read_json(data, where=where)
    if not isinstance(body, dict) or body.get("registry") != 1 or not isinstance(body.get("store"), str):
        raise RefusedError(f"{where} marks no registry", [Problem(where, "registry", "1, and a store", "else")])
    return str(body["store"])
