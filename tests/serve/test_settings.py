"""Settings from flags, variables and files: one order, every problem at once, and no door left open by mistake."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from interlock.cli.serve_settings import NOT_OURS, gather, read_keys
from interlock.core.errors import InputError
from interlock.serve.refusal import CODES
from interlock.serve.settings import Settings

SECRET = "ab" * 32
KEY = f"[[keys]]\nname = 'a'\nrole = 'client'\nsha256 = '{'0' * 64}'\n"
SERVING = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b/manifest.json", "t"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()


def written(text: str, name: str = "serve.toml") -> Path:
    Path(name).write_text(text, encoding="utf-8")
    return Path(name)


def settings(flags: dict[str, Any] | None = None, *files: Path, **environment: str) -> Settings:
    return gather({"bundle": "b", "trust": "t", **(flags or {})}, files=files, environment=environment)


def problems(flags: dict[str, Any] | None = None, *files: Path, **environment: str) -> str:
    with pytest.raises(InputError) as refused:
        settings(flags, *files, **environment)
    return str(refused.value)


def test_flags_count_before_variables_before_files_and_later_files_before_earlier() -> None:
    files = [
        written("port = 1\nworkers = 1\nstuck_ms = 9001\ndeadline_ms = 11"),
        written("port = 2\nworkers = 2", "b.toml"),
    ]

    found = settings({"port": 4}, *files, INTERLOCK_PORT="3", INTERLOCK_WORKERS="3")
    assert (found.port, found.workers, found.stuck_ms, found.deadline_ms) == (4, 3, 9001, 11)
    assert settings({}, *files).port == 2


def test_every_problem_of_every_source_is_told_at_once_with_what_was_probably_meant() -> None:
    file = written('worker = 3\nport = "many"\nsecret = "no"')
    found = problems({"workers": 0}, file, INTERLOCK_MAX_WAITIN="5", INTERLOCK_DEADLINE_MS="soon")

    for expected in (
        "serve.toml: worker: expected a setting, got unknown (did you mean 'workers'?)",
        "serve.toml: secret: expected a setting",
        "environment: INTERLOCK_MAX_WAITIN: expected a setting, got unknown (did you mean 'INTERLOCK_MAX_WAITING'?)",
        "environment: deadline_ms:",
        "serve.toml: port:",
        "--workers: workers:",
    ):
        assert expected in found


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"bundle": None}, "either bundle or registry"),
        ({"registry": "r", "trust": "t"}, "either bundle or registry"),
        ({"development": True}, "--trust or --development, not both"),
        ({"trust": None}, "or --development, which asks for none"),
        ({"trust": None, "development": False}, "or --development, which asks for none"),
        ({"bundle": None, "registry": "r", "trust": None}, "or --development, which asks for none"),
        ({"bundle": None, "registry": "", "trust": "t"}, "registry"),
        ({"bundle": None, "registry": "r", "trust": "t", "alias": "best"}, "alias"),
    ],
)
def test_where_the_bundle_comes_from_is_said_once_and_who_vouches_for_it(flags: dict[str, Any], said: str) -> None:
    assert said in problems(flags)
    assert settings({"bundle": None, "registry": "r", "trust": "t"}).alias == "champion"
    assert settings({"bundle": None, "registry": "r", "trust": None, "development": True}).trust is None
    assert settings({"trust": None, "development": True}).development


def test_variables_of_other_commands_are_left_alone() -> None:
    found = gather({"bundle": "b", "trust": "t"}, files=[], environment=dict.fromkeys(NOT_OURS, "x"))

    assert found.port == 8080


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])  # noqa: S104 - refused is the point
def test_beyond_this_machine_nothing_is_served_without_keys_and_a_secret(host: str) -> None:
    found = problems({"host": host})

    assert "secret" in found
    assert "API keys" in found
    assert not Path("interlock.db.secret").exists()
    assert "API keys" in problems({"host": host}, INTERLOCK_SECRET=SECRET)
    assert "secret" in problems({"host": host}, written(KEY))
    assert settings({"host": host}, written(KEY), INTERLOCK_SECRET=SECRET).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_on_this_machine_a_secret_is_made_once_that_others_cannot_read(host: str) -> None:
    first, again = settings({"host": host}), settings({"host": host})

    assert first.secret == again.secret
    assert stat.S_IMODE(os.stat("interlock.db.secret").st_mode) == 0o600  # noqa: PTH116 - the mode is the point


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"bundle": "nothing"}, "nothing: expected a bundle: a directory with a manifest.json, got none"),
        ({"trust": "nothing"}, "nothing: expected a trust root, got none"),
        ({"deadline_ms": 9000}, "got deadline_ms 9000, stuck_ms 5000"),
        ({"tls_key": "k"}, "got tls_certificate None, tls_key k"),
        ({"registry": "r"}, "got bundle b, registry r"),
        ({"max_waiting": 0}, "got 0"),
    ],
)
def test_a_refusal_says_what_was_got_and_leaves_no_file_behind(flags: dict[str, Any], said: str) -> None:
    assert said in problems(flags)
    assert {one.name for one in Path().iterdir()} == {"b", "t"}


def test_a_server_that_others_can_reach_keeps_its_keys_when_none_are_left() -> None:
    serving = settings({"host": "0.0.0.0"}, written(KEY), INTERLOCK_SECRET=SECRET)  # noqa: S104 - the point

    assert [one.name for one in read_keys([written(KEY)], before=serving)] == ["a"]
    for text in ("", "keys = []", "keys = 5", "prot = 1\n" + KEY, "no toml"):
        with pytest.raises(InputError, match="the API keys stay as they were"):
            read_keys([written(text)], before=serving)
    assert read_keys([written("")], before=settings()) == ()


@pytest.mark.parametrize("key", ["port", "workers", "request_s", "cache_size", "traces_share", "bundle"])
def test_true_is_no_number(key: str) -> None:
    assert f"serve.toml: {key}: expected neither true nor false, got true" in problems({}, written(f"{key} = true"))
    assert settings({"trust": None}, written("development = true")).development


def test_a_key_that_is_none_is_not_repeated() -> None:
    found = problems({}, written("[[keys]]\nname = 'a'\nrole = 'client'\nsha256 = 'the key itself'"))

    assert "keys.0.sha256" in found
    assert "got 14 characters" in found
    assert "itself" not in found


def test_a_place_that_takes_no_secret_is_refused() -> None:
    Path("file").touch()

    assert "a place for the server's secret" in problems({"store": "file/in/it.db"})


@pytest.mark.parametrize("secret", ["", "short", "ab" * 31, "zz" * 32, "ab" * 32 + "a"])
def test_a_weak_secret_is_refused_and_not_repeated(secret: str) -> None:
    found = problems(INTERLOCK_SECRET=secret)

    assert "64 hexadecimal digits" in found
    assert len(secret) < 6 or secret not in found
    assert SECRET not in repr(settings(INTERLOCK_SECRET=SECRET))


def test_a_secret_file_that_others_can_read_or_that_is_not_there_is_refused() -> None:
    file = written(SECRET, "secret")
    file.chmod(0o644)
    assert "others cannot read" in problems({"secret_file": file})
    assert "can be read" in problems({"secret_file": Path("nothing")})

    file.chmod(0o440)
    assert settings({"secret_file": file}).secret.get_secret_value() == SECRET


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = ", "expected TOML"),
        ("port = 1\nport = 2", "expected TOML"),
        ("[[keys]]\nname = 'a'\nrole = 'king'\nsha256 = 'x'", "keys.0.role"),
        ("tls_key = 'k'", "go together"),
        ("deadline_ms = 900\nstuck_ms = 100", "stuck_ms must be at least"),
        ("request_s = nan", "request_s"),
        ("request_s = inf", "request_s"),
        ("max_waiting = 0", "max_waiting"),
        ("store = ''", "store"),
        (KEY + KEY, "each name and each sha256 once"),
        (KEY + KEY.replace("'a'", "'b'"), "each name and each sha256 once"),
        ("tls_key = 'serve.toml'\ntls_certificate = 'serve.toml'", "a PEM certificate and its key"),
        ("tls_key = 'nothing'\ntls_certificate = 'nothing'", "a PEM certificate and its key"),
        ("port = 65536", "port"),
        ("workers = 1.5", "workers"),
    ],
)
def test_a_file_that_says_nothing_sensible_is_refused(text: str, said: str) -> None:
    assert said in problems({}, written(text))


def test_every_setting_and_code_stands_in_the_document_with_its_default() -> None:
    for name, field in Settings.model_fields.items():
        (row,) = [line for line in SERVING.splitlines() if line.startswith(f"| `{name}` |")]
        shown = row.split("|")[2].strip()
        if isinstance(field.default, int | float | str) and name != "workers":
            assert shown == (f"{field.default:g}" if isinstance(field.default, float) else str(field.default)), name
    for code, (status, about) in CODES.items():
        assert f"| `{code}` | {status} | {about} |" in SERVING


def test_every_operation_and_metric_stands_in_the_document(server: Any) -> None:
    for path, methods in server.ask("GET", "/openapi.json").json()["paths"].items():
        if "{version}" not in path:
            for method in methods:
                assert f"`{method.upper()} {path}`" in SERVING
    lines = server.ask("GET", "/metrics").body.decode().splitlines()
    for line in lines:
        if line.startswith("# TYPE "):
            assert f"`{line.split()[2]}`" in SERVING, line


def test_a_key_that_was_made_opens_its_door_and_no_other(command: Any, start: Any) -> None:
    code, said, key_line = command("keys", "api", "scraper", "--role", "metrics")
    key = key_line.split()[-1]
    server = start("--config", written(said).absolute())

    assert code == 0
    assert server.ask("GET", "/metrics", authorization=f"Bearer {key}").status == 200
    assert server.ask("GET", "/v2", authorization=f"Bearer {key}").status == 403
    assert command("keys", "api", "two words")[0] == 2
