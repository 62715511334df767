"""What a person opens after an evaluation or a build: a folder of tables, a page and pictures. Knows no terminal."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from interlock.core.dataset import Dataset
from interlock.core.measurement import Measurement
from interlock.core.progress import Watch
from interlock.core.receipt import Receipt
from interlock.data.write import write_whole
from interlock.gate.derive import Derived
from interlock.measure.plots.learning import learning_picture
from interlock.measure.plots.rates import rates_picture
from interlock.report.evaluation import Evaluation, row_pictures
from interlock.report.figures import save
from interlock.report.page import evaluation_page
from interlock.report.view import View

REPORT = "report"  # folder of a run's pictures


def write_evaluation(found: Evaluation, folder: Path, *, title: str, about: Mapping[str, Any]) -> None:
    """Write ``evaluation.json`` (ids, no texts), the pictures, and ``evaluation.md`` (with masked texts) last.

    Args:
        found: the evaluation.
        folder: made when missing; files of these names are replaced.
        title: heading of the page.
        about: what was evaluated, for the JSON.

    Raises:
        MissingExtraError: the drawing library is not installed; nothing was written.
    """
    pictures = found.pictures()
    save(folder, pictures)
    body = {**about, **found.to_json(texts=False), "pictures": list(pictures)}
    text = json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_whole(folder / "evaluation.json", [text])
    write_whole(folder / "evaluation.md", [evaluation_page(found, title=title, pictures=pictures)])


def draw_run(run: Path, receipt: Receipt, rows: Dataset, *, watched: int, watch: Watch) -> None:
    """Draw a run's training and its test rows into its folder ``report``; without the drawing library, say so.

    Args:
        run: the run folder, with its step log.
        receipt: the evidence.
        rows: the test rows, in the receipt's order.
        watched: rows that the step log's validation figures rest on.
        watch: told where the pictures are.
    """
    if importlib.util.find_spec("matplotlib") is None:
        watch({"event": "note", "note": "no pictures were drawn: pip install 'interlock[train]'"})
        return
    log = [json.loads(line) for line in (run / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    found = {name: Measurement.from_json(body) for name, body in receipt.measurements.items()}
    clip = receipt.facts.get("recipe", {}).get("clip_norm")
    pictures = {
        "learning": learning_picture(log, watched=watched),
        "rates": rates_picture(log, clip_norm=clip),
        **row_pictures(View(Derived(receipt), rows.examples), found),
    }
    save(run / REPORT, pictures)
    watch({"event": "note", "note": f"pictures are in {run / REPORT}"})
