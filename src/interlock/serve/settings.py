"""Everything that can be set about the server, checked. Knows no file and no environment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from interlock.core.event import DigestKey
from interlock.core.registry import AliasName
from interlock.core.strict import Strict
from interlock.serve.access import ApiKey

SECRET = re.compile(r"(?:[0-9a-fA-F]{2}){32,}")


class Settings(Strict):
    """One server. Field names are the keys of the configuration file, and the options of ``interlock serve``."""

    bundle: Path | None = None
    registry: str | None = Field(default=None, min_length=1)
    alias: AliasName = "champion"
    development: bool = False
    trust: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=256)
    store: str = Field(default="interlock.db", min_length=1)
    secret: SecretStr
    deadline_ms: int = Field(default=1000, ge=1, le=60_000)
    record_ms: int = Field(default=1000, ge=1, le=60_000)
    stuck_ms: int = Field(default=5000, ge=10, le=600_000)
    max_waiting: int = Field(default=64, ge=1, le=100_000)
    max_body_bytes: int = Field(default=262_144, ge=1024, le=16_777_216)
    max_batch_bytes: int = Field(default=1_048_576, ge=1024, le=67_108_864)
    max_header_bytes: int = Field(default=16_384, ge=1024, le=1_048_576)
    max_connections: int = Field(default=2048, ge=1, le=100_000)
    request_s: float = Field(default=10.0, gt=0, le=3600)
    keep_alive_s: float = Field(default=60.0, gt=0, le=3600)
    cache_size: int = Field(default=0, ge=0, le=1_000_000)
    traces: str | None = Field(default=None, pattern=r"^https?://[^\s]+$", max_length=2048)
    traces_share: float = Field(default=1.0, ge=0, le=1)
    keys: tuple[ApiKey, ...] = ()
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    drain_s: float = Field(default=25.0, gt=0, le=3600)

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr) -> SecretStr:
        if not SECRET.fullmatch(secret.get_secret_value()):
            raise ValueError("at least 64 hexadecimal digits, as `openssl rand -hex 32` prints them")
        return secret

    @field_validator("keys")
    @classmethod
    def _once(cls, keys: tuple[ApiKey, ...]) -> tuple[ApiKey, ...]:
        for said in ({key.name for key in keys}, {key.sha256 for key in keys}):
            if len(said) < len(keys):  # a key of two roles, or a name in the log that two keys have
                raise ValueError("each name and each sha256 once")
        return keys

    @model_validator(mode="after")
    def _agreeing(self) -> Self:
        if (self.bundle is None) == (self.registry is None):
            raise ValueError("either bundle or registry, which says where the bundle comes from")
        if self.trust is None and not self.development:
            raise ValueError(
                "--trust FILE, whose signatures a bundle must carry, or --development, which asks for none"
            )
        if self.bundle is not None and self.trust is not None and self.development:
            raise ValueError("--trust or --development, not both: a bundle is vouched for, or is not")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together")
        if self.stuck_ms < self.deadline_ms:
            raise ValueError("stuck_ms must be at least deadline_ms: until then a worker may be at its message")
        return self

    @property
    def key(self) -> DigestKey:
        """Return the key of texts' and subjects' digests."""
        return DigestKey.from_hex(self.secret.get_secret_value())

    def to_json(self) -> dict[str, Any]:
        """Return all of it, the secret included: for a process of ours."""
        return {**self.model_dump(mode="json"), "secret": self.secret.get_secret_value()}
