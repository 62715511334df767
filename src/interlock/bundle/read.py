"""A bundle's bytes from disk: every file read once, and the bytes that were hashed are the bytes returned.

Nothing outside the directory is ever followed, no path is opened twice, and no file is trusted before it matches the
manifest. Knows no contents.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from interlock.bundle.layout import MANIFEST, MAX_MANIFEST_BYTES, MAX_SIGNATURE_BYTES, SIGNATURE
from interlock.bundle.manifest import File, Manifest, parse_manifest
from interlock.core.canonical import digest
from interlock.core.errors import InputError, Problem, RefusedError


@dataclass(frozen=True)
class Verified:
    """A bundle whose every byte matches its manifest."""

    manifest: Manifest
    listing: bytes  # the manifest's exact bytes, which signatures sign
    files: dict[str, bytes]
    signature: bytes | None = None  # as found; it says nothing until it is checked

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest's exact bytes."""
        return digest(self.listing)


def read_verified(folder: Path) -> Verified:
    """Read and verify a whole bundle.

    Raises:
        InputError: there is no bundle at ``folder``, or it is of a newer format.
        RefusedError: a changed byte, a missing or extra file, a link, or anything that is not a plain file. Names it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no bundle", [Problem(str(folder), "", "a directory", "none")])
    if not (folder / MANIFEST).is_file():
        raise InputError(f"{folder} is no bundle", [Problem(str(folder), "", MANIFEST, "no such file")])
    folder = folder.resolve()  # the bundle may be reached through a link; nothing inside it may be one
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:  # removed or replaced since it was looked at
        problem = Problem(str(folder), "", "a directory that stays", error.strerror or str(error))
        raise RefusedError("the bundle changed", [problem]) from error
    try:
        listing = _read(opened, MANIFEST, MAX_MANIFEST_BYTES)
        manifest = parse_manifest(listing, where=str(folder / MANIFEST))
        found, problems = _look(opened, set(manifest.files))
        if problems:  # wrong names or kinds of files: nothing more is read
            raise RefusedError(f"{folder} does not verify", problems)
        signature = _read(opened, SIGNATURE, MAX_SIGNATURE_BYTES) if SIGNATURE in found else None
        files: dict[str, bytes] = {}
        for name, listed in manifest.files.items():
            try:
                files[name] = _read_listed(opened, name, listed)
            except RefusedError as error:
                problems += error.problems
    finally:
        os.close(opened)
    if problems:
        raise RefusedError(f"{folder} does not verify", problems)
    return Verified(manifest, listing, files, signature)


def _look(folder: int, listed: set[str]) -> tuple[set[str], list[Problem]]:
    """Return the plain files of an open folder, and every name in it that a bundle with ``listed`` would not have.

    Only folders that listed files need are looked into, so neither depth nor number of others matters.
    """
    needed = {"", *(name.rpartition("/")[0] for name in listed)}
    found: set[str] = set()
    problems: list[Problem] = []
    for parent in sorted(needed):
        try:
            here = os.open(parent or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
        except OSError as error:
            problems.append(Problem(parent, "", "a plain folder", error.strerror or str(error)))
            continue
        try:
            with os.scandir(here) as entries:
                kinds = {entry.name: entry.stat(follow_symlinks=False).st_mode for entry in entries}
        except OSError as error:
            raise RefusedError("the bundle changed", [Problem(parent, "", "names that stay", str(error))]) from error
        finally:
            os.close(here)
        for name, mode in sorted(kinds.items()):
            inside = f"{parent}/{name}" if parent else name
            if stat.S_ISREG(mode) and inside in {*listed, MANIFEST, SIGNATURE}:
                found.add(inside)
            elif not (stat.S_ISDIR(mode) and inside in needed):
                problems.append(Problem(inside, "", "only plain files the manifest lists", _kind(mode)))
    return found, problems


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "an extra file"
    return "an extra folder" if stat.S_ISDIR(mode) else "a link, device or pipe"


def _read_listed(folder: int, name: str, listed: File) -> bytes:
    return check_listed(name, _read(folder, name, listed.size), listed)


def check_listed(name: str, data: bytes, listed: File) -> bytes:
    """Return the bytes of a file when they are those that the manifest lists.

    Raises:
        RefusedError: they are others.
    """
    if len(data) != listed.size:
        raise RefusedError(name, [Problem(name, "size", str(listed.size), str(len(data)))])
    if digest(data) != listed.sha256:
        raise RefusedError(name, [Problem(name, "sha256", listed.sha256, digest(data))])
    return data


def _read(folder: int, name: str, most: int) -> bytes:
    """Read at most ``most`` bytes of one plain file, walking down from ``folder`` without following links."""
    *parents, last = name.split("/")
    here = os.dup(folder)
    try:
        for parent in parents:
            below = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = below
        handle = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
    except OSError as error:
        raise RefusedError(name, [Problem(name, "", "a readable plain file", error.strerror or str(error))]) from error
    finally:
        os.close(here)
    with os.fdopen(handle, "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
            raise RefusedError(name, [Problem(name, "", "a plain file with one name", "a link, device or pipe")])
        if facts.st_size > most:
            raise RefusedError(name, [Problem(name, "size", f"at most {most}", str(facts.st_size))])
        return file.read(most + 1)
