"""Rules about training and data: whether to go on, whether to train at all."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from interlock.core.contract_file import parse_contract
from interlock.core.errors import InputError
from interlock.gate.watched import judge_watched, of_audit, of_steps

MANGA = parse_contract((resources.files("interlock.cli") / "templates" / "manga.yaml").read_bytes())
Command = Callable[..., tuple[int, str, str]]


def epochs(*figures: tuple[float, float]) -> list[dict[str, Any]]:
    return [{"event": "epoch", "val_acc": acc, "val_rare_recall": rare, "clipped_share": 0.1} for acc, rare in figures]


@pytest.mark.parametrize(
    ("figures", "goes_on"),
    [
        ([(0.906, 0.827), (0.919, 0.872)], True),  # the documents' own log: both better
        ([(0.919, 0.872), (0.921, 0.886)], True),  # 0.2 points, but rare labels 1.4
        ([(0.919, 0.872), (0.9225, 0.872)], True),  # 0.35 points
        ([(0.919, 0.872), (0.921, 0.874)], False),  # 0.2 points each
        ([(0.919, 0.872)], False),  # one epoch says nothing
        ([], False),
    ],
)
def test_training_goes_on_by_the_documents_rule(figures: list[tuple[float, float]], goes_on: bool) -> None:
    assert judge_watched(of_steps(epochs(*figures)), MANGA, gate="continue").eligible is goes_on


def audit(*, escalation: int = 1200, bad: float | None = 0.05, share: float = 0.01) -> dict[str, Any]:
    findings: list[dict[str, Any]] = [
        {"code": "label.share", "numbers": {"escalation": escalation, "faq": 5000}},
        {"code": "text.truncated", "numbers": {"share": share}},
    ]
    if bad is not None:
        findings.append({"code": "synthetic.quality", "numbers": {"bad_rate": bad}})
    return {"rows": 10_000, "findings": findings, "notes": []}


@pytest.mark.parametrize(
    ("body", "reasons"),
    [
        (audit(), ["exact_receipt_pass"]),
        (audit(bad=None), ["exact_receipt_pass"]),  # no synthetic rows, none of them bad
        (audit(escalation=999), ["fail:train_rows.escalation"]),
        (audit(bad=0.11), ["fail:synthetic_bad_share"]),
        (audit(share=0.031), ["fail:truncated_share"]),
        ({"rows": 0, "findings": []}, ["inconclusive:train_rows.escalation", "inconclusive:synthetic_bad_share",
                                       "inconclusive:truncated_share"]),
        ({**audit(bad=None), "notes": ["synthetic.quality: too many rows"]}, ["inconclusive:synthetic_bad_share"]),
    ],
)  # fmt: skip
def test_data_are_taken_in_by_the_documents_rule(body: dict[str, Any], reasons: list[str]) -> None:
    assert judge_watched(of_audit(body), MANGA, gate="data").reasons == reasons


@pytest.mark.parametrize("bad", [None, "0.9", True, [], {}, math.inf, -math.inf, 10**400])
def test_figures_that_are_none_are_refused(bad: object) -> None:
    with pytest.raises(InputError):
        of_steps([*epochs((0.9, 0.9)), {"event": "epoch", "val_acc": bad, "val_rare_recall": 0.9}])


@pytest.mark.parametrize("rows", [math.inf, math.nan, "many", None, []])
def test_an_audit_without_a_number_of_rows_is_none(rows: object) -> None:
    with pytest.raises(InputError, match="no audit"):
        of_audit({**audit(), "rows": rows})


def test_what_is_read_from_logs_and_audits_is_exact_and_says_of_how_many() -> None:
    log = of_steps([{"event": "step"}, *epochs((0.5, 0.1), (0.75, 0.5), (0.875, 0.25))])
    assert {name: (one.value, one.n, one.low, one.high) for name, one in log.items()} == {
        "val_accuracy_gain": (0.125, 3, 0.125, 0.125),
        "val_rare_recall_gain": (-0.25, 3, -0.25, -0.25),
        "clipped_share": (0.1, 1, 0.1, 0.1),
    }
    assert set(of_steps(epochs((0.5, 0.1)))) == {"clipped_share"}
    assert of_steps([{"event": "epoch", "val_acc": 0.5}, {"event": "epoch"}]) == {}

    found = of_audit(audit(escalation=7, bad=0.25, share=0.5))
    assert {name: (one.value, one.n, one.method) for name, one in found.items()} == {
        "train_rows.escalation": (7, 10_000, "counted"),
        "train_rows.faq": (5000, 10_000, "counted"),
        "synthetic_bad_share": (0.25, 10_000, "counted"),
        "truncated_share": (0.5, 10_000, "counted"),
    }


def test_a_gate_nobody_wrote_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'continue'"):
        judge_watched({}, MANGA, gate="continu")


def test_the_command_judges_logs_and_audits(tmp_path: Path, command: Command) -> None:
    contract = tmp_path / "contract.yaml"
    contract.write_bytes((resources.files("interlock.cli") / "templates" / "manga.yaml").read_bytes())
    log, found = tmp_path / "train.jsonl", tmp_path / "audit.json"
    log.write_text("".join(json.dumps(line) + "\n" for line in epochs((0.9, 0.8), (0.95, 0.9))), encoding="utf-8")
    found.write_text(json.dumps(audit(escalation=10)), encoding="utf-8")

    assert command("gate", log, "--contract", contract, "--gate", "continue", "--json")[0] == 0
    code, out, _ = command("gate", found, "--contract", contract, "--gate", "data", "--json")
    assert (code, json.loads(out)["reasons"]) == (1, ["fail:train_rows.escalation"])
