"""A bundle's bytes from disk: every file read once, and the bytes that were hashed are the bytes returned.

Nothing outside the directory is ever followed, no path is opened twice, and no file is trusted before it matches the
manifest. Knows no contents.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from interlock.bundle.layout import MANIFEST, MAX_MANIFEST_BYTES, SIGNATURE
from interlock.bundle.manifest import File, Manifest, parse_manifest
from interlock.core.canonical import digest
from interlock.core.errors import InputError, Problem, RefusedError


@dataclass(frozen=True)
class Verified:
    """A bundle whose every byte matches its manifest."""

    manifest: Manifest
    digest: str  # of the manifest's exact bytes
    files: dict[str, bytes]


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
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        data = _read(opened, MANIFEST, MAX_MANIFEST_BYTES)
        manifest = parse_manifest(data, where=str(folder / MANIFEST))
        problems = list(_wrong_listing(folder, set(manifest.files)))
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
    return Verified(manifest, digest(data), files)


def _wrong_listing(folder: Path, listed: set[str]) -> Iterator[Problem]:
    found: set[str] = set()
    for root, folders, names in os.walk(folder, followlinks=False):
        for name in [*names, *folders]:
            path = Path(root, name)
            inside = path.relative_to(folder).as_posix()
            if path.is_symlink():
                yield Problem(inside, "", "a plain file", "a symbolic link")
            elif name in names:
                found.add(inside)
            elif not any(other.startswith(f"{inside}/") for other in listed):
                yield Problem(inside, "", "no directory that the manifest does not need", "one")
    for extra in sorted(found - listed - {MANIFEST, SIGNATURE}):
        yield Problem(extra, "", "only files the manifest lists", "an extra file")


def _read_listed(folder: int, name: str, listed: File) -> bytes:
    data = _read(folder, name, listed.size)
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
