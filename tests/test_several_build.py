"""A router that detects several intents, through the real walk: composed, trained, fitted, packed, measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.conftest import CONTRACT, shop_rows, write_rows

from interlock.build import Built, build
from interlock.bundle.open import open_bundle
from interlock.core.decision import Reason
from interlock.evaluate import evaluate
from interlock.gate.derive import Derived
from interlock.train.recipe import Recipe

DETECTING = CONTRACT.replace("  unknown: {keep_known: 0.95}\n", "  several: {enabled: true, threshold: 0.5}\n").replace(
    "max_tokens: 24",
    "max_tokens: 64",  # room for two requests
)
BOTH = "where is my parcel late tracking and money back return broken refund"


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("several")
    (folder / "contract.yaml").write_text(DETECTING, encoding="utf-8")
    write_rows(folder / "rows.jsonl", shop_rows(480))
    return build(
        contract=folder / "contract.yaml",
        data=folder / "rows.jsonl",
        out=folder / "run",
        encoder="tiny",
        recipe=Recipe(epochs=4, batch_size=16, rdrop=0.0),
    )


def test_a_message_that_asks_for_two_things_goes_to_both_routes(several: Built) -> None:
    decision = open_bundle(several.run / "bundle").decide(BOTH)

    assert set(decision.intents) == {"order", "refund"}
    assert decision.reason is Reason.SEVERAL
    assert decision.route == "returns"  # a refund is critical
    assert decision.routes == ("returns", "tracking")


def test_a_message_that_asks_for_one_thing_is_left_alone(several: Built) -> None:
    decision = open_bundle(several.run / "bundle").decide("where is my parcel late tracking courier")

    assert decision.several_score is not None
    assert decision.intents == ()


def test_the_receipt_decides_again_what_was_served(several: Built) -> None:
    bundle = open_bundle(several.run / "bundle")
    rows = {row["id"]: row["text"] for row in shop_rows(480)}
    derived = Derived(several.receipt)

    for row, decision in zip(several.receipt.rows, derived.decisions, strict=True):
        served = bundle.decide(rows[row.id])
        assert (decision.outcome, decision.route, decision.intents) == (served.outcome, served.route, served.intents)
        assert served.several_score == pytest.approx(decision.several_score, abs=1e-6)


def test_a_bundle_remembers_a_message_that_asks_for_two_things(several: Built) -> None:
    golden = [json.loads(line) for line in (several.run / "bundle" / "golden.jsonl").read_text().splitlines()]

    assert sum(one["decision"]["reason"] == Reason.SEVERAL for one in golden) == 1


def test_rows_with_labels_measure_the_detector(several: Built, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [dict(row) for row in shop_rows(30, seed=5)]
    rows += [{"id": f"both{i}", "text": f"{BOTH} {i}", "labels": ["refund", "order"]} for i in range(20)]
    found = evaluate(open_bundle(several.run / "bundle"), write_rows(tmp_path / "mixed.jsonl", rows)).measurements  # type: ignore[arg-type]

    assert found["exact_match"].n == 50
    assert found["several_auroc"].value > 0.8
    assert found["several_recall"].n == 20
    assert found["several_false"].n == 30
    assert found["several_precision"].value > 0.5
