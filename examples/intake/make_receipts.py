"""Write the six receipts of this folder from its contract and the six frozen fixtures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from interlock.core.contract import Threshold
from interlock.core.contract_file import parse_contract
from interlock.core.receipt import Receipt, Row

HERE = Path(__file__).parent
FIXTURES = (  # id, slice, needs a person, score
    ("damaged_package_exception", "damaged_package_exception", True, 0.89),
    ("return_window_exception", "return_window_exception", True, 0.42),
    ("account_takeover", "account_takeover", True, 0.64),
    ("angry_delivery_status", "routine_delivery_status", False, 0.71),
    ("routine_delivery_status", "routine_delivery_status", False, 0.23),
    ("return_policy_question", "return_policy_question", False, 0.18),
)
PADDING = ("easy_status_extra", "routine_delivery_status", False, 0.02)


def receipt(name: str, rows: tuple[tuple[str, str, bool, float], ...], *, threshold: float, **identity: str) -> Receipt:
    """Return a receipt of ``rows`` under the contract with another threshold or identity."""
    contract = parse_contract((HERE / "contract.yaml").read_bytes())
    policy = Threshold(positive="human_review_now", threshold=threshold)
    pinned = contract.model_copy(update={"decide": policy})
    named: dict[str, Any] = contract.evaluation.model_dump(exclude={"fixtures"}, exclude_none=True)
    return Receipt(
        receipt=1,
        name=name,
        identity={"label_version": contract.label_version, **named, **identity},
        contract=pinned.to_json(),
        rows=tuple(
            Row(id=id_, slice=part, labels=("human_review_now" if person else "guarded_agent",), score=score)
            for id_, part, person, score in rows
        ),
    )


def receipts() -> list[Receipt]:
    """Return all six."""
    return [
        receipt("intake_bundle_v1", FIXTURES, threshold=0.50),
        receipt("intake_bundle_v2", FIXTURES, threshold=0.35),
        receipt(
            "intake_bundle_incomplete", tuple(row for row in FIXTURES if row[0] != "account_takeover"), threshold=0.35
        ),
        receipt("intake_bundle_padded", (*FIXTURES, PADDING), threshold=0.35),
        receipt("intake_bundle_duplicated", (*FIXTURES, FIXTURES[-1]), threshold=0.35),
        receipt("intake_bundle_drifted", FIXTURES, threshold=0.35, dataset_version="refund-intake-validation-v2"),
    ]


if __name__ == "__main__":
    (HERE / "receipts").mkdir(exist_ok=True)
    for made in receipts():
        (HERE / "receipts" / f"{made.name}.json").write_bytes(made.to_bytes())
