"""Candidate models by quality, speed and price, and the choice among them. Knows no training, no terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from interlock.core.measurement import Measurement
from interlock.measure.contest import contests
from interlock.measure.money import cost_per_quality_point, usd_per_month
from interlock.report.arms import Arm, Rows, serving_usd
from interlock.report.experiment import Table, compare_arms, notes_of, on_test, reading


@dataclass(frozen=True, slots=True)
class Prices:
    """What a candidate comes to in a month."""

    serving: Measurement  # dollars of one core's time
    misroutes: Measurement  # dollars
    per_point: Measurement | None  # dollars of serving more for each point of accuracy more than the cheapest's

    def to_json(self) -> dict[str, Any]:
        """Return the prices."""
        return {
            "serving_usd": self.serving.to_json(),
            "misroute_usd": self.misroutes.to_json(),
            "monthly_usd": self.serving.value + self.misroutes.value,
            "usd_per_quality_point": self.per_point.to_json() if self.per_point else None,
        }


@dataclass(frozen=True)
class Bench:
    """Candidates, their prices, and which one to take."""

    table: Table
    prices: dict[str, Prices]
    budget_ms: float | None  # P95 a candidate must be shown to keep

    def to_json(self) -> dict[str, Any]:
        """Return everything."""
        body = self.table.to_json()
        body["rows"] = [{**row, **self._priced(row["name"])} for row in body["rows"]]
        return {**body, "latency_budget_ms": self.budget_ms}

    def _priced(self, name: str) -> dict[str, Any]:
        if name not in self.prices:
            return {}
        return {**self.prices[name].to_json(), "within_budget": fits(self.table, name, self.budget_ms)}


def bench(arms: Sequence[Arm], judging: Rows, test: Rows, *, budget_ms: float | None, core_hour_usd: float) -> Bench:
    """Measure, price and choose: the most accurate candidate whose P95 is shown to keep the budget.

    Args:
        arms: the candidates; differences are with the first.
        judging: the calibration rows.
        test: the test rows.
        budget_ms: milliseconds; None when there is none.
        core_hour_usd: dollars an hour of one core costs.
    """
    table = compare_arms(arms, judging, test, kind="models")
    money, contract = judging.contract.money, judging.contract
    trained = [arm for arm in arms if arm.failed is None]
    serving = {arm.name: serving_usd(arm.models[0], contract, core_hour_usd=core_hour_usd) for arm in trained}
    cheapest = min(trained, key=lambda arm: serving[arm.name].value)
    prices = {}
    for arm in trained:
        misroutes = usd_per_month(
            judging.astray(arm.models[0]), misroute_usd=money.misroute_usd, monthly_messages=money.monthly_messages
        )
        extra = serving[arm.name].value - serving[cheapest.name].value
        pair = judging.correct(arm)[0], judging.correct(cheapest)[0]
        point = None if arm is cheapest else cost_per_quality_point(*pair, extra_usd=extra)
        prices[arm.name] = Prices(serving[arm.name], misroutes, point)
    choice, why = _chosen(table, trained, judging, prices, budget_ms)
    found, contest = on_test(arms[0], choice or arms[0], test, "accuracy")
    name = choice.name if choice is not None else None
    table = replace(table, recommended=name, why=why, test=found, test_contest=contest, notes=notes_of(arms))
    return Bench(table, prices, budget_ms)


def fits(table: Table, name: str, budget_ms: float | None) -> bool:
    """Whether even the upper bound of a candidate's P95 keeps the budget; NaN does not."""
    line = next(line for line in table.lines if line.arm.name == name)
    return budget_ms is None or line.measurements["latency_p95_ms"].high <= budget_ms


def _chosen(
    table: Table, trained: Sequence[Arm], judging: Rows, prices: dict[str, Prices], budget_ms: float | None
) -> tuple[Arm | None, str]:
    within = [arm for arm in trained if fits(table, arm.name, budget_ms)]
    budget = "no latency budget" if budget_ms is None else f"the budget of {budget_ms:g} ms at P95"
    if not within:
        return None, f"choose none: no candidate is shown to keep {budget}"
    lines = {line.arm.name: line for line in table.lines}
    best = max(within, key=lambda arm: lines[arm.name].measurements["accuracy"].value)
    found = lines[best.name].measurements
    why = (
        f"choose {best.name}: accuracy {found['accuracy'].value:.3f}, the highest of {len(within)} candidates under "
        f"{budget} (its own {found['latency_p95_ms'].value:.1f} ms, at most {found['latency_p95_ms'].high:.1f})"
    )
    return best, f"{why}{_rival(best, within, judging, prices)}"


def _rival(best: Arm, within: Sequence[Arm], judging: Rows, prices: dict[str, Prices]) -> str:
    """Say whether something cheaper would perhaps do as well."""
    cheaper = [arm for arm in within if prices[arm.name].serving.value < prices[best.name].serving.value]
    found = contests(judging.correct(best), [judging.correct(arm) for arm in cheaper])
    close = [(arm, contest) for arm, contest in zip(cheaper, found, strict=True) if contest.shown != "worse"]
    if not close:
        return ""
    arm, contest = min(close, key=lambda pair: prices[pair[0].name].serving.value)
    saved = prices[best.name].serving.value - prices[arm.name].serving.value
    sure = f"{saved:,.2f} dollars a month" if math.isfinite(saved) else "unknown"
    return f"; {arm.name} is cheaper by {sure} and not shown to be worse ({reading(contest, 'accuracy')})"
