"""The list of a bundle's files with their sizes and digests. Pure; knows no disk."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationError

from interlock.bundle.layout import ALLOWED, FORMAT, MANIFEST, MAX_BUNDLE_BYTES, REQUIRED, most_bytes
from interlock.core.canonical import canonical, digest, read_json
from interlock.core.errors import InputError, Problem, RefusedError
from interlock.core.strict import Strict

Sha256 = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$", strict=True)]


class File(Strict):
    """One file of a bundle."""

    size: Annotated[int, Field(ge=0, strict=True)]
    sha256: Sha256


class Manifest(Strict):
    """Everything that must be restored together."""

    bundle: Annotated[int, Field(strict=True)]
    name: Annotated[str, Field(min_length=1, max_length=200, strict=True)]
    created: Annotated[str, Field(strict=True)]
    identity: dict[str, str]
    files: dict[str, File]

    def to_bytes(self) -> bytes:
        """Return the canonical manifest; the bundle's digest is the digest of exactly these bytes."""
        return canonical(self.model_dump(mode="json"))


def parse_manifest(data: bytes, *, where: str) -> Manifest:
    """Read a manifest.

    Raises:
        InputError: of a newer format.
        RefusedError: not a manifest, or one that lists files a bundle must not or does not have.
    """
    try:
        body: Any = read_json(data, where=where)
    except InputError as error:
        raise RefusedError(f"{where} does not read", error.problems) from error
    version = body.get("bundle") if isinstance(body, dict) else None
    if isinstance(version, int) and not isinstance(version, bool) and version > FORMAT:
        raise InputError(
            f"{where} is of a newer format",
            [Problem(where, "bundle", f"at most {FORMAT}", str(version))],
            todo="Upgrade interlock to open this bundle.",
        )
    try:
        manifest = Manifest.model_validate(body)
    except ValidationError as error:
        problems = [
            Problem(where, ".".join(map(str, item["loc"])), item["msg"], repr(item["input"])[:80])
            for item in error.errors(include_url=False)
        ]
        raise RefusedError(f"{where} is not a bundle manifest", problems) from error
    if problems := _wrongly_listed(manifest, where):
        raise RefusedError(f"{where} does not list a bundle", problems)
    return manifest


def _wrongly_listed(manifest: Manifest, where: str) -> list[Problem]:
    """Return what a manifest lists that no bundle of this format has, lacks, or has as large."""
    problems = [
        Problem(where, f"files.{name}", "a file bundles have", "an unknown name")
        for name in sorted(set(manifest.files) - ALLOWED)
    ]
    problems += [
        Problem(where, f"files.{name}", "listed", "missing") for name in REQUIRED if name not in manifest.files
    ]
    problems += [
        Problem(where, f"files.{name}.size", f"at most {most_bytes(name)}", str(listed.size))
        for name, listed in manifest.files.items()
        if listed.size > most_bytes(name)
    ]
    if (whole := sum(listed.size for listed in manifest.files.values())) > MAX_BUNDLE_BYTES:
        problems.append(Problem(where, "files", f"at most {MAX_BUNDLE_BYTES} bytes together", str(whole)))
    if manifest.bundle != FORMAT:
        problems.append(Problem(where, "bundle", str(FORMAT), str(manifest.bundle)))
    return problems


def make_manifest(files: dict[str, bytes], *, name: str, created: str, identity: dict[str, str]) -> Manifest:
    """List ``files`` (path inside the bundle -> bytes)."""
    if unknown := sorted({*files, MANIFEST} - ALLOWED - {MANIFEST}):
        raise ValueError(f"a bundle has no place for {unknown}")
    listed = {path: File(size=len(data), sha256=digest(data)) for path, data in files.items()}
    return Manifest(bundle=FORMAT, name=name, created=created, identity=identity, files=listed)
