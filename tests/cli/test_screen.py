"""What people see while a model trains."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from interlock.cli import screen
from interlock.cli.route import show
from interlock.cli.screen import Watching
from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.verdict import Judgement, Status, Verdict
from interlock.measure.proportion import proportion


def step(number: int, *, clipped: int = 0, event: str = "step") -> dict[str, Any]:
    return {
        "event": event,
        "epoch": 1,
        "step": number,
        "steps": 100,
        "loss": 1.842,
        "lr_head": 2.1e-6,
        "lr_bottom": 5.5e-7,
        "grad_norm": 1.27,
        "clipped": clipped,
        "ex_per_sec": 252.4,
        "mem_gb": 1.54,
    }


def shown(events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> str:
    """Return what stands on the screen before the last frame is taken away, or was printed without a terminal."""
    out = io.StringIO()

    def made(**_options: Any) -> Console:
        return Console(file=out, force_terminal=terminal, width=120, highlight=False)

    monkeypatch.setattr(screen, "Console", made)
    with Watching() as watch:
        for event in events:
            watch(event)
        if terminal:
            watch._live.refresh()
    return out.getvalue()


def test_the_live_table_says_everything_a_step_says(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = shown([step(25, clipped=3), step(50)], monkeypatch, terminal=True)

    for word in (
        *screen.STEP_SHOWN,
        "25/100",
        "1.842",
        "2.1e-06",
        "5.5e-07",
        "1.27 (3 clipped)",
        "252",
        "1.5 GB",
        "50/100",
    ):
        assert word in seen
    assert "train" in seen
    assert "-:--:--" in seen or "0:00" in seen  # how long it will take


def test_a_file_gets_a_line_each_tenth_of_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = shown([step(number) for number in range(1, 101)], monkeypatch, terminal=False)

    assert [line.split("step ")[1].split("/")[0] for line in seen.splitlines()] == [str(n) for n in range(10, 101, 10)]
    assert "gradient norm 1.27  examples/s 252" in seen


def test_adapting_is_told_from_training(monkeypatch: pytest.MonkeyPatch) -> None:
    epoch = {"event": "adapt_epoch", "epoch": 1, "epochs": 2, "train_loss": 3.0, "val_loss": 2.5}
    seen = shown([step(100, event="adapt"), epoch], monkeypatch, terminal=False)

    assert seen.splitlines()[0].startswith("  adapt  epoch 1  step 100/100")
    assert "adapting, epoch 1/2  train_loss 3.0000 val_loss 2.5000" in seen


ODD = ("[/bold]", "[red]x", "[", "\\[b]", "a]b[/]")  # what Rich would take for markup of its own


@pytest.mark.parametrize("name", ODD)
def test_names_that_look_like_markup_are_shown_as_they_are(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = proportion(f"recall.{name}", 1, 2)
    verdict = Verdict(limit=found.name, status=Status.FAIL, reason="fail", rule="at least 1", evidence=found)
    judgement = Judgement((verdict,), refusals=(f"missed:{name}",))
    screen.console().print(screen.measurement_table({found.name: found}, title="t"))
    screen.print_judgement(judgement, title=f"{name}/receipt.json")
    show(Decision(Outcome.ROUTED, "a", Reason.AUTO, label=name, confidence=0.9, second_label="b", margin=0.8))

    said = capsys.readouterr().out
    assert said.count(f"recall.{name}") == 2
    assert f"missed:{name}" in said
    assert f"{name}/receipt.json" in said
    assert f"{name}, confidence" in said


@pytest.mark.parametrize("name", ODD)
def test_events_that_look_like_markup_are_shown_as_they_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    events = [
        {"event": "note", "note": f"pictures are in {name}"},
        {"event": "warning", "code": "rows", "detail": name, "decision": "on"},
    ]
    said = shown(events, monkeypatch, terminal=False)

    assert f"pictures are in {name}" in said
    assert f"rows {name}: on" in said
