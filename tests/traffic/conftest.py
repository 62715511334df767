"""One simulated world, shared by the tests that only read it."""

from __future__ import annotations

from typing import Any

import pytest

from interlock.data.traffic import simulate

ROWS = 11_000


@pytest.fixture(scope="session")
def world() -> list[dict[str, Any]]:
    """A world large enough for its shares to be seen, small enough to be quick."""
    return list(simulate(ROWS, seed=1))


@pytest.fixture(scope="session")
def production(world: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in world if row["source"] == "production"]
