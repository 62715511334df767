"""Pictures: told apart by everyone, readable at any size, honest when there is nothing to show."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.drift import label_drift
from interlock.measure.plots.by_rows import by_rows_picture
from interlock.measure.plots.confusion import block, confusion_picture
from interlock.measure.plots.drift import drift_picture
from interlock.measure.plots.forest import forest_picture
from interlock.measure.plots.histogram import confidence_picture
from interlock.measure.plots.learning import learning_picture
from interlock.measure.plots.rates import rates_picture
from interlock.measure.plots.reliability import reliability_picture
from interlock.measure.plots.style import PALETTES, Picture, Style, plain
from interlock.measure.plots.tradeoff import tradeoff_picture
from interlock.measure.proportion import proportion
from interlock.measure.reliability import reliability
from interlock.report.thresholds import Point

Floats = npt.NDArray[np.float64]
STYLES: tuple[Style, ...] = ("light", "dark")
SEEN_WITH = {  # linear RGB as seen with each full colour blindness: Machado, Oliveira and Fernandes 2009, severity 1
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
LABELS = [f"{'a_rather_long_label_of_a_bank' if n % 7 == 0 else 'label'}_{n:03d}" for n in range(150)]
LOG: list[dict[str, Any]] = [
    {"event": "step", "step": step, "steps": 40, "loss": 3 / step, "lr_head": 1e-3 / step, "lr_bottom": 5e-4 / step}
    | {"grad_norm": 4.0 / step, "clipped": int(step < 5), "epoch": 1 + step // 20}
    for step in range(1, 41)
] + [
    {"event": "epoch", "epoch": epoch, "epochs": 2, "train_loss": 1.5 / epoch, "val_loss": 1.6 / epoch}
    | {"val_acc": 0.6, "val_macro_recall": 0.5, "val_worst_recall": 0.1}
    for epoch in (1, 2)
]


def linear(colour: str) -> Floats:
    c = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.asarray(np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4))


def contrast(one: str, other: str) -> float:
    bright = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (bright[1] + 0.05) / (bright[0] + 0.05)


def lab(rgb: Floats) -> Floats:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("style", STYLES)
def test_colours_stand_out_from_the_ground_and_text_more_so(style: Style) -> None:
    palette = PALETTES[style]

    assert min(contrast(colour, palette.ground) for colour in palette.series) >= 3
    assert contrast(palette.quiet, palette.ground) >= 4.5
    assert contrast(palette.ink, palette.ground) >= 7
    assert contrast(palette.ink, palette.band) >= 4.5


@pytest.mark.parametrize("eyes", SEEN_WITH)
@pytest.mark.parametrize("style", STYLES)
def test_no_two_series_look_alike_with_any_colour_blindness(style: Style, eyes: str) -> None:
    seen = [lab(np.array(SEEN_WITH[eyes]) @ linear(colour)) for colour in PALETTES[style].series]

    assert min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2)) >= 10  # well above a just
    # noticeable difference, about 2.3


def drawn(picture: Picture, style: Style = "light") -> Any:
    figure: Any = Figure(figsize=picture.size, layout="constrained")
    FigureCanvasAgg(figure)
    picture.draw(figure, PALETTES[style])
    figure.draw_without_rendering()
    return figure


def words(figure: Any) -> list[Any]:
    """Return every text that is drawn; ticks beyond an axis's ends are not."""
    every = figure.findobj(lambda artist: hasattr(artist, "get_text") and artist.get_visible())
    beyond = set()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        beyond |= {label for tick in ticks if not low <= tick.get_loc() <= high for label in (tick.label1, tick.label2)}
    return [text for text in every if text.get_text().strip() and text not in beyond]


def said(picture: Picture) -> str:
    return " ".join(text.get_text() for text in words(drawn(picture)))


def counts(k: int, *, seed: int = 0) -> npt.NDArray[np.int64]:
    chance = np.random.default_rng(seed)
    return chance.poisson(0.3, (k, k)) + np.diag(chance.integers(5, 40, k))


def recalls(k: int) -> dict[str, Measurement]:
    return {name: proportion("recall", n % 31, 30) for n, name in enumerate(LABELS[:k])}


def tried(n: int) -> list[Point]:
    recall, precision, review = (proportion("share", n - part, n) for part in (0, 1, 2))
    cost = Measurement("cost", 3.0, n, 2.0, 4.0)
    return [Point(at / 10, recall, precision, review, cost, "bands") for at in range(10)]


CONFIDENCE = np.random.default_rng(1).beta(5, 2, 400)
HITS = np.random.default_rng(2).random(400) < CONFIDENCE
WINDOWS = {f"2025-{m:02d}": label_drift([50, 30, 20], [50 + 9 * m, 30, 20]) for m in range(1, 13)}
FULL: dict[str, Callable[[int], Picture]] = {
    "reliability": lambda _k: reliability_picture({s: reliability(CONFIDENCE, HITS, bins=10) for s in ("raw", "b")}),
    "confidence": lambda _k: confidence_picture({"right": CONFIDENCE}, at={"guarded": 0.55, "auto": 0.8}, log=True),
    "confusion": lambda k: confusion_picture(counts(k), LABELS[:k]),
    "forest": lambda k: forest_picture(recalls(k), floors={LABELS[1]: 0.5}, overall=0.7),
    "tradeoff": lambda _k: tradeoff_picture(tried(40), at={"guarded": 0.55, "auto": 0.8}, unit="dollars"),
    "by_rows": lambda _k: by_rows_picture({"platt": {100: {"nll": tried(9)[0].cost}}}, metrics={"nll": "loss"}),
    "learning": lambda _k: learning_picture(LOG, watched=100),
    "rates": lambda _k: rates_picture(LOG, clip_norm=1.0),
    "drift": lambda _k: drift_picture(WINDOWS),
}
NOTHING: dict[str, Picture] = {
    "reliability": reliability_picture({"raw": reliability([], [], bins=10)}),
    "reliability without panels": reliability_picture({}),
    "confidence": confidence_picture({"right": np.array([])}),
    "confusion": confusion_picture(np.zeros((150, 150), dtype=np.int64), LABELS),
    "forest": forest_picture({"a": unmeasured("recall")}),
    "tradeoff": tradeoff_picture([], at={"auto": 0.8}, unit="dollars"),
    "by_rows": by_rows_picture({"platt": {100: {"nll": unmeasured("nll")}}}, metrics={"nll": "loss"}),
    "learning": learning_picture([]),
    "rates": rates_picture([]),
    "drift": drift_picture({"2025-01": label_drift([1, 2], [0, 0])}),
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("k", [2, 150])
@pytest.mark.parametrize("name", FULL)
def test_every_word_of_every_picture_lies_on_it(name: str, k: int, style: Style) -> None:
    figure = drawn(FULL[name](k), style)
    edge, renderer = figure.bbox, figure.canvas.get_renderer()

    assert words(figure)
    for text in words(figure):
        box = text.get_window_extent(renderer)
        assert box.x0 >= edge.x0 - 1, text.get_text()
        assert box.x1 <= edge.x1 + 1, text.get_text()
        assert box.y0 >= edge.y0 - 1, text.get_text()
        assert box.y1 <= edge.y1 + 1, text.get_text()


@pytest.mark.parametrize("name", ["confusion", "forest"])
@pytest.mark.parametrize("k", [2, 20, 150])
def test_labels_at_the_side_do_not_touch(name: str, k: int) -> None:
    figure = drawn(FULL[name](k))
    ticks = figure.axes[0].get_yticklabels()
    boxes = sorted((tick.get_window_extent(figure.canvas.get_renderer()) for tick in ticks), key=lambda box: box.y0)

    assert 2 <= len(boxes) <= 31
    assert all(upper.y0 >= lower.y1 for lower, upper in itertools.pairwise(boxes))


def test_gradients_of_nothing_are_drawn_without_a_log_scale() -> None:
    still = [{**line, "grad_norm": 0.0} if line["event"] == "step" else line for line in LOG]

    assert "log scale" in said(FULL["rates"](2))
    assert "log scale" not in said(rates_picture(still))


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_to_show_is_said_and_not_drawn(name: str) -> None:
    figure = drawn(NOTHING[name], "dark")

    assert not figure.axes
    assert re.search(r"\b(no|too few)\b", words(figure)[0].get_text())


def test_rows_stand_on_the_pictures() -> None:
    for name in ("reliability", "confidence", "confusion", "forest", "tradeoff", "learning", "drift"):
        assert "n = " in said(FULL[name](2)), name


def test_the_most_confused_labels_of_many_are_shown_and_neighbours() -> None:
    table = counts(150)
    np.fill_diagonal(table, 30)
    table[3, 77] = table[140, 9] = 25
    kept = block(table, most=20)

    assert len(kept) == 20
    assert abs(kept.index(3) - kept.index(77)) == 1
    assert abs(kept.index(140) - kept.index(9)) == 1


def test_a_block_and_the_rest_hold_every_row_once() -> None:
    table = counts(150)
    numbers = [t.get_text() for t in drawn(confusion_picture(table, LABELS)).axes[0].texts if t.get_text().isdigit()]

    assert sum(map(int, numbers)) == table.sum()


def test_labels_that_are_never_confused_are_shown_as_they_are() -> None:
    assert block(np.diag([3] * 30), most=20) == list(range(20))


def test_the_forest_shows_the_worst_first_and_never_hides_a_floor() -> None:
    found = {**recalls(150), "held": proportion("recall", 30, 30)}
    ticks = [t.get_text() for t in drawn(forest_picture(found, floors={"held": 0.8})).axes[0].get_yticklabels()]

    assert len(ticks) == 30
    assert ticks[0].startswith(LABELS[0])
    assert ticks[-1].startswith("held")


def test_a_window_beyond_chance_is_a_cross_exactly_when_its_plain_distance_exceeds_its_limit() -> None:
    beyond = [drift.plain["psi"] > drift.limits["psi"] for drift in WINDOWS.values()]
    bars = drawn(drift_picture(WINDOWS)).axes[0].containers
    shown = {bar.get_label(): bar.lines[0].get_xdata() for bar in bars}

    assert 0 < sum(beyond) < len(beyond)
    assert sorted(shown["beyond it"]) == [place for place, far in enumerate(beyond) if far]


def test_labels_are_shown_without_mathematics_or_letters_fonts_lack() -> None:
    assert plain("$x^2$") == r"\$x^2\$"
    assert plain("返品") == "??"
    assert plain("a\nb\x7f") == "a?b?"
    assert len(plain("x" * 500)) == 40
    drawn(confusion_picture(counts(3), ["$a$_{", "返品", "x" * 500]))


def test_a_broken_log_without_validation_still_shows_its_losses() -> None:
    log = [{key: value for key, value in line.items() if not key.startswith("val_")} for line in LOG]

    assert "no rows were held back" in said(learning_picture(log))
