"""The pages that commands leave beside their data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Command = Callable[..., tuple[int, str, str]]


def test_a_workspace_made_from_data_shows_its_rows_in_the_guide(shop: Path, tmp_path: Path, command: Command) -> None:
    assert command("new", tmp_path / "w", "--from-data", shop / "rows.jsonl")[0] == 0
    guide = (tmp_path / "w" / "label_guide.md").read_text(encoding="utf-8")

    assert "no model was asked" in guide
    assert "- Typical:\n  - `" in guide[guide.index("## `refund`") :]
    assert not (tmp_path / "w" / "rows.jsonl").exists()


def test_a_split_is_described_by_a_card_with_the_whole_audit_and_a_guide(
    shop: Path, tmp_path: Path, command: Command
) -> None:
    code, _, _ = command("split", shop / "rows.jsonl", "--contract", shop / "contract.yaml", "-o", tmp_path / "s")
    card, guide = ((tmp_path / "s" / f"{name}.md").read_text(encoding="utf-8") for name in ("data_card", "label_guide"))

    assert code == 0
    assert "`label.undefined`" in card  # one that the quick checks leave out
    assert "- Near misses, of another label:" in guide
