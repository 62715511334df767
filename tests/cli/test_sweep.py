"""The policy from evidence: aims, what is shown, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.conftest import CONTRACT, shop_rows, write_rows

from interlock.build import Built
from interlock.cli.sweep import read_aim
from interlock.core.contract_file import parse_contract
from interlock.core.errors import InputError

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows that the bundle has not seen."""
    rows = [{**row, "id": f"new-{row['id']}", "group": f"new-{row['group']}"} for row in shop_rows(600, seed=9)]
    return write_rows(tmp_path_factory.mktemp("sweep") / "new.jsonl", rows)


def swept(command: Command, bundle: Path, rows: Path, *more: object) -> tuple[int, dict[str, Any]]:
    code, said, _ = command("sweep", bundle, rows, "--json", *more)
    return code, json.loads(said.splitlines()[-1])


def test_a_precision_is_shown_on_rows_that_did_not_fit_it_and_becomes_contract_keys(
    built: Built, new: Path, command: Command, tmp_path: Path
) -> None:
    code, body = swept(command, built.run / "bundle", new, "--aim", "precision=0.9", "-o", tmp_path / "out")
    policy = yaml.safe_load((tmp_path / "out" / "policy.yaml").read_text())

    assert code == 0
    assert body["fit"]["rows"] + body["report"]["rows"] == 600
    assert min(body["fit"]["rows"], body["report"]["rows"]) > 200
    for candidate in body["candidates"]:
        assert candidate["coverage"]["n"] == body["report"]["rows"]
    assert body["chosen"]["precision"]["value"] > 0.85
    for sets in body["sets"][:2]:  # of all rows
        assert sets["labels"]["n"] == sets["coverage"]["n"] == body["report"]["rows"]
        assert sets["labels"]["low"] <= sets["size"] == sets["labels"]["value"] <= sets["labels"]["high"]
    assert policy["decide"]["fitted_on"] == body["fit"]["digest"]
    assert policy["decide"]["auto"]["confidence"] == body["threshold"]
    lines = [line for line in CONTRACT.splitlines() if not line.startswith(("decide", "  auto", "  guard", "  unkn"))]
    parse_contract(("\n".join(lines) + "\n" + yaml.safe_dump(policy)).encode())
    assert (tmp_path / "out" / "risk_coverage.svg").stat().st_size > 1000


def test_the_same_rows_fit_whatever_their_order(built: Built, new: Path, command: Command, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text("".join(sorted(new.read_text().splitlines(keepends=True), reverse=True)))
    first, second = (swept(command, built.run / "bundle", path)[1] for path in (new, other))

    assert first["fit"] == second["fit"]
    assert first["policy"] == second["policy"]


def test_what_cannot_be_shown_is_no_policy(built: Built, command: Command, tmp_path: Path) -> None:
    few = write_rows(tmp_path / "few.jsonl", [{**row, "id": f"few{i}"} for i, row in enumerate(shop_rows(12, seed=3))])
    code, body = swept(command, built.run / "bundle", few, "--aim", "precision=0.99", "-o", tmp_path / "out")

    assert code == 1
    assert body["policy"] is None
    assert not (tmp_path / "out" / "policy.yaml").exists()


def test_the_cheapest_policy_keeps_to_the_capacity_and_a_risk_is_controlled(
    built: Built, new: Path, command: Command
) -> None:
    _, cheap = swept(command, built.run / "bundle", new, "--aim", "cost", "--review-capacity", "0.5")
    _, risk = swept(command, built.run / "bundle", new, "--aim", "risk=0.05")

    assert cheap["policy"]["decide"]["guarded"]["confidence"] == pytest.approx(cheap["threshold"])
    assert cheap["chosen"]["review"]["low"] <= 0.5
    assert risk["policy"]["decide"]["auto"]["confidence"] == pytest.approx(risk["threshold"])


def test_test_rows_shared_rows_and_aims_of_the_other_kind_are_refused(
    built: Built, shop: Path, new: Path, command: Command
) -> None:
    bundle = built.run / "bundle"
    for arguments, said in (
        ((shop / "rows.jsonl",), "test rows"),
        ((new, "--report-data", new), "both files"),
        ((new, "--aim", "no-missed-positive"), "positive"),
    ):
        code, _, error = command("sweep", bundle, *arguments)
        assert code == 2
        assert said in error


@pytest.mark.parametrize(
    "text", ["", "precision", "precision=0", "precision=1", "risk=2", "precision=nan", "cost=1", "precision=1e-18"]
)
def test_an_aim_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="aim"):
        read_aim(text, capacity=1.0, error=0.05, per_label=False)


@pytest.mark.parametrize(("capacity", "error", "per_label"), [(-0.1, 0.05, False), (1, 0, False), (1, 0.05, True)])
def test_options_out_of_range_are_refused(capacity: float, error: float, per_label: bool) -> None:
    with pytest.raises(InputError):
        read_aim("cost", capacity=capacity, error=error, per_label=per_label)
