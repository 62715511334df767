"""The documents cannot drift: every command, code and key stands in them, and their examples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import interlock.cli.app as app_module
from interlock.core.contract import Contract
from interlock.core.decision import Outcome, Reason
from interlock.core.limits import METRICS

ROOT = Path(__file__).parents[1]
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCES = sorted((ROOT / "src" / "interlock").rglob("*.py"))


def commands() -> list[str]:
    return sorted(name for name in app_module.app if not name.startswith("-"))


def test_every_command_stands_in_the_readme_and_the_reference() -> None:
    for name in commands():
        assert f"`interlock {name}`" in README
        assert f"`interlock {name}" in REFERENCE


def test_every_option_of_every_command_stands_in_the_reference() -> None:
    for name in commands():
        group = app_module.app[name]
        inner = [group[part] for part in group if not part.startswith("-")]
        for command in inner or [group]:
            for argument in command.assemble_argument_collection():
                for option in argument.names:
                    if option.startswith("--") and not option.startswith("--no-"):
                        assert f"`{option}" in REFERENCE, f"{command.name} {option}"


@pytest.mark.parametrize("code", [*Outcome, *Reason])
def test_every_outcome_and_reason_is_explained(code: str) -> None:
    assert f"`{code}`" in REFERENCE


@pytest.mark.parametrize("key", list(Contract.model_fields))
def test_every_key_of_the_contract_is_explained(key: str) -> None:
    assert f"`{key}`" in REFERENCE


@pytest.mark.parametrize("metric", METRICS)
def test_every_measurement_a_limit_may_name_is_explained(metric: str) -> None:
    assert f"`{metric}`" in REFERENCE


def test_every_reason_the_judge_can_give_is_explained() -> None:
    sources = (ROOT / "src" / "interlock" / "gate").glob("*.py")
    judge = "".join(path.read_text(encoding="utf-8") for path in sources)
    codes = set(re.findall(r'yield f?"([a-z_]+):', judge)) | set(re.findall(r'f"(missed|slice_empty):', judge))

    assert {"missing", "unexpected", "duplicate", "leak", "digest", "metric_mismatch"} <= codes
    for code in codes:
        assert f"`{code}:" in REFERENCE, code


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_every_room_says_what_it_does_not_know() -> None:
    for path in SOURCES:
        first = path.read_text(encoding="utf-8").split('"""')[1] if path.name == "__init__.py" else ""
        if first and path.parent.name not in {"interlock", "phrases"}:
            assert re.search(r"[Kk]nows? (no|nothing)", first) or "only room" in first, path


def test_the_names_the_readme_imports_exist() -> None:
    import interlock

    for name in re.findall(r"interlock\.(\w+)\(", README):
        assert callable(getattr(interlock, name))


def test_links_between_the_documents_resolve() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for name in re.findall(r"`((?:docs|examples|src|tests)/[\w./-]+)`", document.read_text(encoding="utf-8")):
            assert (ROOT / name).exists(), f"{document.name}: {name}"


@pytest.mark.slow
def test_the_python_of_the_readme_runs(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_bytes((shop / "rows.jsonl").read_bytes())
    assert app_module.run(["new", "mine", "--from-data", "rows.jsonl"]) == 0
    space: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL):
        exec(block, space)  # noqa: S102 - our own README

    assert getattr(space["decision"], "label", None) == "order"
