"""An audit as one self-contained page: no script, no links, every text from the data escaped. Knows no check."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import TYPE_CHECKING

from interlock.core.errors import require
from interlock.data.audit.plots import plots
from interlock.measure.plots.style import Picture

if TYPE_CHECKING:
    from interlock.data.audit.run import Audit

TEMPLATE = "page.html"
NUMBERS = 12  # of a finding shown
IDS = 20


def page(found: Audit, *, svg: Callable[[Picture], str]) -> str:
    """Return the page; ``svg`` draws its pictures as elements to put in."""
    require("The audit's page", extra="train", modules=["jinja2"])
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    source = resources.files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8")
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.from_string(source).render(
        contract=found.subject.contract,
        rows=len(found.subject.rows),
        verdict=found.verdict,
        findings=found.findings,
        notes=found.notes,
        plots={title: Markup(svg(drawn)) for title, drawn in plots(found.subject).items()},  # noqa: S704 - drawn here
        numbers=NUMBERS,
        ids=IDS,
    )
