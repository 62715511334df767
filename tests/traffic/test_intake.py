"""The refund-support world: two labels, five reasons, accounts that appear over time."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from interlock.core.errors import InputError
from interlock.data.traffic import simulate_intake
from interlock.data.traffic.intake import REASONS, SHARES

Tickets = list[dict[str, Any]]


@pytest.fixture(scope="module")
def tickets() -> Tickets:
    return simulate_intake(3_000, seed=2)


def test_the_reason_decides_the_label(tickets: Tickets) -> None:
    assert {(row["slice"], row["label"]) for row in tickets} == {
        (reason, label) for reason, (label, _, _) in REASONS.items()
    }


def test_every_reason_has_its_share(tickets: Tickets) -> None:
    found = Counter(row["slice"] for row in tickets)

    assert {name: pytest.approx(share, abs=0.01) for name, share in SHARES.items()} == {
        name: found[name] / len(tickets) for name in SHARES
    }


def test_ids_are_unique_and_rows_come_in_order_of_time(tickets: Tickets) -> None:
    assert len({row["id"] for row in tickets}) == len(tickets)
    assert [row["timestamp"] for row in tickets] == sorted(row["timestamp"] for row in tickets)


def test_late_accounts_are_new_accounts(tickets: Tickets) -> None:
    cut = len(tickets) * 8 // 10
    early = {row["group"] for row in tickets[:cut]}
    late = {row["group"] for row in tickets[cut:]}

    assert len(late & early) < 0.05 * len(late)


def test_both_labels_have_furious_and_calm_tickets(tickets: Tickets) -> None:
    furious = [row for row in tickets if "ridiculous" in row["text"].lower() or "joke" in row["text"].lower()]
    calm = [row for row in tickets if "thank you for your time" in row["text"].lower()]

    assert len({row["label"] for row in furious}) == len({row["label"] for row in calm}) == 2


def test_tickets_rarely_repeat(tickets: Tickets) -> None:
    assert len({row["text"].lower() for row in tickets}) / len(tickets) > 0.93


def test_the_same_seed_gives_the_same_tickets() -> None:
    assert simulate_intake(200, seed=9) == simulate_intake(200, seed=9)
    assert simulate_intake(200, seed=9) != simulate_intake(200, seed=10)


def test_a_negative_number_of_tickets_is_refused() -> None:
    with pytest.raises(InputError, match="cannot have -5 rows"):
        simulate_intake(-5, seed=1)
