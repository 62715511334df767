"""Settings of a server from flags, variables and files, with every problem of all of them at once. Knows no server."""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from interlock.core.errors import InputError, Problem, did_you_mean
from interlock.core.event import SHORTEST_KEY
from interlock.serve.access import ApiKey
from interlock.serve.settings import Settings

PREFIX = "INTERLOCK_"
NOT_OURS = frozenset({"INTERLOCK_DATA", "INTERLOCK_POSTGRES", "INTERLOCK_KEY_PASSPHRASE"})  # other commands'
SECRET_DIGITS = 2 * SHORTEST_KEY
NO_SECRET = "a secret, by --secret-file or INTERLOCK_SECRET: openssl rand -hex 32"  # noqa: S105 - what to say
BY_FILE_ONLY = frozenset({"keys"})
NOT_BY_FILE = frozenset({"secret"})  # a file of settings is read by many; a secret has a file of its own
KNOWN = frozenset(Settings.model_fields) | {"secret_file"}

Found = dict[str, tuple[Any, str]]  # key -> value, and where it stands


def gather(flags: Mapping[str, Any], *, files: Sequence[Path], environment: Mapping[str, str]) -> Settings:
    """Return the settings of one server.

    Args:
        flags: what the command line said, by key.
        files: TOML files, of which the last counts most.
        environment: variables, those named ``INTERLOCK_`` and a key.

    Raises:
        InputError: with every problem of every source.
    """
    problems: list[Problem] = []
    found: Found = {"workers": (len(os.sched_getaffinity(0)), "default")}
    for file in files:
        found |= _from_file(file, problems)
    found |= _from_environment(environment, problems)
    found |= {key: (value, f"--{key.replace('_', '-')}") for key, value in flags.items()}
    given = found.pop("secret_file", None)
    place = Path(str(given[0])) if given is not None else _own_file(found)
    if "secret" not in found and place is not None:
        found["secret"] = (_secret(place, problems, own=given is None), str(place))
    settings = _checked(found, problems)
    problems += _exposed(found)
    if settings is not None:
        problems += [*_missing(settings), *_tls(settings)]
    if problems or settings is None:
        raise InputError("the server cannot start with these settings", problems)
    own = given is None and place is not None and found["secret"][1] == str(place)
    if own and place is not None:  # only now: a refusal leaves no file behind
        kept = _keep_secret(place, settings.secret.get_secret_value())
        return settings.model_copy(update={"secret": SecretStr(kept)})
    return settings


def read_keys(files: Sequence[Path], *, before: Settings) -> tuple[ApiKey, ...]:
    """Return the API keys that ``files`` name now, for a server that serves with the settings ``before``.

    Raises:
        InputError: with every problem of the files, or there are none while others can reach the server.
    """
    problems: list[Problem] = []
    found: Found = {key: (value, "settings") for key, value in before.to_json().items() if key != "keys"}
    named: Found = {}
    for file in files:
        named |= _from_file(file, problems)
    found |= {key: value for key, value in named.items() if key == "keys"}
    settings = _checked(found, problems)
    problems += _exposed(found)
    if problems or settings is None:
        raise InputError("the API keys stay as they were", problems)
    return settings.keys


def _from_file(file: Path, problems: list[Problem]) -> Found:
    try:
        body = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        problems.append(Problem(str(file), "", "a file that can be read", error.strerror or str(error)))
        return {}
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(Problem(str(file), "", "TOML", str(error)))
        return {}
    known = KNOWN - NOT_BY_FILE
    problems += [
        Problem(str(file), key, "a setting", f"unknown{did_you_mean(key, sorted(known))}")
        for key in body
        if key not in known
    ]
    problems += [  # which would count as 1 or 0
        Problem(str(file), key, "neither true nor false", str(value).lower())
        for key, value in body.items()
        if isinstance(value, bool) and key in known and key != "development"
    ]
    return {key: (value, str(file)) for key, value in body.items() if key in known}


def _from_environment(environment: Mapping[str, str], problems: list[Problem]) -> Found:
    found: Found = {}
    for name, value in environment.items():
        if not name.startswith(PREFIX) or name in NOT_OURS:
            continue
        key = name.removeprefix(PREFIX).lower()
        known = KNOWN - BY_FILE_ONLY
        if key not in known:
            near = did_you_mean(name, sorted(PREFIX + one.upper() for one in known))
            problems.append(Problem("environment", name, "a setting", f"unknown{near}"))
        else:
            found[key] = (value, "environment")
    return found


def _own_file(found: Found) -> Path | None:
    """Return where the secret of a server stands that this machine alone reaches: beside its store."""
    store = str(_value(found, "store"))
    if not _is_loopback(str(_value(found, "host"))) or ("://" in store and not store.startswith("sqlite:///")):
        return None
    return Path(f"{store.removeprefix('sqlite:///')}.secret")


def _secret(file: Path, problems: list[Problem], *, own: bool) -> str:
    """Return the secret of a file; a new one for a file of our ``own`` that is not there yet."""
    try:
        if own and not os.path.lexists(file):
            return secrets.token_hex(SHORTEST_KEY)
        if file.stat().st_mode & 0o004:
            problems.append(
                Problem(str(file), "", "a file that others cannot read", "mode " + oct(file.stat().st_mode & 0o777))
            )
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(str(file), "", "a file that can be read", type(error).__name__))
        return "0" * SECRET_DIGITS  # so that only this problem is told of it


def _keep_secret(file: Path, secret: str) -> str:
    """Keep a secret, so that the same text has the same digest after a restart; return the one that is kept.

    Raises:
        InputError: it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # it was there, or another server that starts now was first
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        problem = Problem(str(file), "", "a place for the server's secret", error.strerror or str(error))
        raise InputError("the server cannot start with these settings", [problem]) from error
    with os.fdopen(opened, "w", encoding="utf-8") as stream:
        stream.write(secret + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    return secret


def _checked(found: Found, problems: list[Problem]) -> Settings | None:
    try:
        return Settings.model_validate({key: value for key, (value, _) in found.items()})
    except ValidationError as error:
        for one in error.errors(include_url=False):
            key = str(one["loc"][0]) if one["loc"] else ""
            where = found[key][1] if key in found else "settings"
            missing = one["type"] == "missing"  # only the secret has no default
            said = one["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
            expected = NO_SECRET if missing else "a path" if one["type"] == "path_type" else said
            got = "nothing" if missing else _shown(key, one["input"]) if key else _together(found, expected)
            problems.append(Problem(where, ".".join(map(str, one["loc"])), expected, got))
        return None


def _shown(key: str, value: Any) -> str:
    """Return what was given, unless it is, or holds, a secret."""
    if key not in {"secret", "keys"}:
        return repr(value)[:100]
    return f"{len(value)} characters" if isinstance(value, str) else type(value).__name__


def _together(found: Found, expected: str) -> str:
    """Return the settings that do not agree: those that are named by what was expected of them."""
    named = [key for key in Settings.model_fields if re.search(rf"\b{key}\b", expected)]
    return ", ".join(f"{key} {_value(found, key)}" for key in named)


def _exposed(found: Found) -> list[Problem]:
    """Return what a server that others can reach lacks."""
    host = str(_value(found, "host"))
    if _is_loopback(host) or _value(found, "keys"):
        return []
    return [Problem("settings", "keys", f"API keys, as {host} can be reached from elsewhere", "none")]


def _missing(settings: Settings) -> list[Problem]:
    """Return which files are not there; a server would find out, too, but only after it made a store."""
    wanted = [("a bundle: a directory with a manifest.json", settings.bundle, "manifest.json")]
    wanted.append(("a trust root", settings.trust, ""))
    return [
        Problem(str(path), "", expected, "none")
        for expected, path, name in wanted
        if path is not None and not (path / name).is_file()
    ]


def _value(found: Found, key: str) -> Any:
    return found[key][0] if key in found else Settings.model_fields[key].default


def _tls(settings: Settings) -> list[Problem]:
    """Return why a certificate and its key cannot be served with."""
    from interlock.serve.tls import Tls

    try:
        Tls.of(settings)
    except InputError as error:
        return list(error.problems)
    return []


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, which may stand for any address
        return False
