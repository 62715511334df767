"""Simulated coverage: how often each interval holds the truth. The lines are those of ``docs/coverage.md``."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
QUICK = [
    ("Wilson", 5500, "share 0.921"),
    ("accuracy difference, Newcombe", 100, "paired"),
    ("quantile, order statistics", 500, "q 0.95"),
    ("cost ratio, paired BCa", 1000, "champion worse"),
    ("mean, BCa", 50, "exponential"),
    ("mean of groups, percentile", 15, "groups of 1-9 rows"),
    ("dollars saved", 50, "paired"),
]


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        yield importlib.import_module("bench.coverage.__main__")


@pytest.mark.parametrize("name", QUICK)
def test_an_interval_holds_the_truth_about_as_often_as_it_says(bench: Any, name: tuple[str, int, str]) -> None:
    """Four standard errors around what is expected: catches a broken interval, not a slightly narrow one."""
    (line,) = (line for line in bench.EVERY if (line.kind, line.n, line.world) == name)
    found, noise = bench.simulate(line, draws=300), 4 * math.sqrt(0.05 * 0.95 / 300)

    assert line.within[0] - noise <= found.covered <= line.within[1] + noise


def test_a_queue_of_hard_rows_misleads_the_naive_share_alone(bench: Any) -> None:
    found = {(line.kind, line.world): bench.simulate(line, draws=150) for line in bench.LIVE}

    assert found["naive share of the reviewed", "overstated by 0.0"].covered < 0.2
    for kind in ("weighted by propensity", "prediction-powered"):
        assert found[kind, "overstated by 0.0"].covered > 0.88
        assert found[kind, "overstated by 0.1"].covered > 0.88


@pytest.mark.slow
def test_every_line_of_the_table_is_as_expected(bench: Any) -> None:
    found = [(line, bench.simulate(line, draws=500)) for line in bench.EVERY]

    assert [f"{line.kind}, n {line.n}, {line.world}" for line, one in found if not bench.kept(line, one)] == []


@pytest.mark.slow
def test_no_test_rejects_what_is_true_more_often_than_it_says(bench: Any) -> None:
    found = [(trial, bench.try_out(trial, trials=2000)) for trial in bench.TRIALS if trial.honest]

    assert [trial.test for trial, one in found if one.low > bench.LEVEL] == []


def test_a_fixed_limit_on_the_plain_calibration_error_fails_calibrated_models(bench: Any) -> None:
    (plain,) = (trial for trial in bench.TRIALS if not trial.honest)

    assert bench.try_out(plain, trials=200).share > 0.9


def test_the_page_says_what_is_promised_and_what_is_missed(bench: Any) -> None:
    line = bench.Line("x", 10, "w", lambda _: None, 0.5)
    held = bench.rows([line], [bench.Found(0.95, 0.03, 0.02, 0.1, 0.5, 1000)])[-1]
    missed = bench.rows([line], [bench.Found(0.90, 0.05, 0.05, 0.1, 0.5, 1000)])[-1]

    assert held == "| x | 10 | w | 95.0 | 3.0 | 2.0 | 0.5 | 0.5 | 0.1 | 93.5-96.5 |"
    assert missed.endswith("93.5-96.5 **missed** |")
