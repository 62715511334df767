"""``interlock serve``: a bundle behind HTTP."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import cyclopts
from cyclopts import Parameter

AliasName = Literal["champion", "challenger", "shadow"]


def register(app: cyclopts.App) -> None:
    """Add this file's commands."""
    app.command(serve)


def serve(  # noqa: PLR0913 - its options
    *,
    bundle: Path | None = None,
    registry: str | None = None,
    alias: AliasName | None = None,
    development: Annotated[bool | None, Parameter(negative=())] = None,
    trust: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
    store: str | None = None,
    secret_file: Path | None = None,
    config: Annotated[list[Path] | None, Parameter(negative=(), consume_multiple=False)] = None,
    tls_certificate: Path | None = None,
    tls_key: Path | None = None,
    deadline_ms: int | None = None,
    max_waiting: int | None = None,
) -> int:
    """Answer HTTP requests with a bundle until SIGTERM. SIGHUP opens the bundle and reads the API keys again.

    Example: interlock serve --bundle runs/1/bundle --trust keys/trust.json --port 8080

    Every setting also comes from a file and from INTERLOCK_* variables; docs/serving.md lists them all. Flags count
    before variables, variables before files, and of several files the last before the others.

    Args:
        bundle: The bundle directory.
        registry: Instead of a directory: the registry, a folder or an fsspec URL. SIGHUP asks it again.
        alias: Whose bundle is served; champion by default.
        development: Serve what nobody vouches for: a bundle without --trust, or what the alias was moved to for
            development. /readyz says so.
        trust: The trust root whose required signatures the bundle must carry.
        host: The address to listen on. Beyond this machine it needs API keys and a secret.
        port: The port; 0 takes a free one, which the log names.
        workers: Processes that run the model; one for each core by default.
        store: Where decisions are recorded, and the aliases of the registry: an SQLite file, or a database URL.
        secret_file: A file with the secret of the keyed digests, 64 hexadecimal digits or more.
        config: A TOML file of settings; may be given several times.
        tls_certificate: The certificate chain, PEM.
        tls_key: Its private key, PEM.
        deadline_ms: How long one decision may take.
        max_waiting: How many messages may wait at once before more are refused.
    """
    from interlock.cli.serve_settings import gather, read_keys
    from interlock.core.clock import SystemClock
    from interlock.core.errors import require
    from interlock.serve.supervisor import Supervisor, listen
    from interlock.serve.traces import MODULES

    flags = {name: value for name, value in locals().items() if name in FLAGS and value is not None}
    require("Serving", extra="serve", modules=["uvicorn", "uvloop", "httptools", "orjson", "prometheus_client"])
    settings = gather(flags, files=config or [], environment=os.environ)
    if settings.traces is not None:
        require("Sending traces", extra="otel", modules=MODULES)
    keys = partial(read_keys, config or [], before=settings)
    with listen(settings.host, settings.port) as listening:
        return Supervisor(settings, listening, SystemClock(), again=keys).run()


FLAGS = frozenset(
    {
        "bundle",
        "registry",
        "alias",
        "development",
        "trust",
        "host",
        "port",
        "workers",
        "store",
        "secret_file",
        "tls_certificate",
        "tls_key",
        "deadline_ms",
        "max_waiting",
    }
)
