"""Bytes to a bundle directory that is either whole or not there. Knows no training."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from interlock.bundle.durable import flush_folder, write_new
from interlock.bundle.layout import MANIFEST
from interlock.bundle.manifest import make_manifest
from interlock.core.canonical import digest
from interlock.core.errors import InputError, Problem


def pack(files: dict[str, bytes], folder: Path, *, name: str, created: str, identity: dict[str, str]) -> str:
    """Write a bundle and return its digest.

    The files are written and flushed in a directory beside ``folder``, the manifest last, and the directory is then
    renamed into place: a crash leaves either nothing or the whole bundle.

    Args:
        files: path inside the bundle -> bytes.
        folder: where the bundle is to be; must not exist.
        name: the bundle's, for people.
        created: ISO 8601, UTC.
        identity: what it was made from.

    Raises:
        InputError: ``folder`` is already there.
    """
    if folder.exists():
        raise InputError(f"{folder} exists", [Problem(str(folder), "", "a new directory", "one that is already there")])
    manifest = make_manifest(files, name=name, created=created, identity=identity).to_bytes()
    write_folder({**files, MANIFEST: manifest}, folder)
    return digest(manifest)


def write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Write ``files`` in their order as a folder that is whole or not there.

    Raises:
        OSError: there is a folder with files in it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        scratch.chmod(0o755)
        for path, data in files.items():
            write_new(scratch / path, data)
        for directory in [*(path for path in scratch.rglob("*") if path.is_dir()), scratch]:
            flush_folder(directory)
        scratch.rename(folder)
        flush_folder(folder.parent)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
