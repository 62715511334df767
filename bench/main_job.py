"""The main job on a public dataset's official files: minutes, accuracy beside the baseline, what int8 costs.

    python bench/main_job.py FOLDER    # holds train.jsonl, test.jsonl and, where there is one, validation.jsonl

The contract is the one `interlock new --from-data` writes. The last line is one JSON object; ``ratio`` is the error
rate of the baseline over that of the router, on the same test rows.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from interlock.build import build
from interlock.cli.app import run as command
from interlock.cli.screen import Watching


def main(folder: Path) -> None:
    """Build and print."""
    with tempfile.TemporaryDirectory() as scratch:
        command(["new", f"{scratch}/new", "--from-data", str(folder / "train.jsonl")])
        validation = folder / "validation.jsonl"
        started = time.perf_counter()
        with Watching() as watch:
            built = build(
                contract=f"{scratch}/new/contract.yaml",
                data=folder / "train.jsonl",
                test=folder / "test.jsonl",
                calibration=validation if validation.is_file() else None,
                out=f"{scratch}/run",
                watch=watch,
            )
        seconds = time.perf_counter() - started
    found = built.judgement.measurements
    baseline = built.baselines["tfidf_logistic"]["accuracy"]
    named = (
        "accuracy",
        "macro_f1",
        "ece_10",
        "ece_debiased",
        "coverage",
        "accepted_accuracy",
        "quantization_accuracy_loss",
    )
    print(
        json.dumps(
            {
                "data": folder.name,
                "seconds": round(seconds, 1),
                "ratio": round((1 - baseline.value) / (1 - found["accuracy"].value), 3),
                "verdict": built.judgement.verdict,
                "reasons": built.judgement.reasons,
                "baseline": baseline.to_json(),
                **{name: found[name].to_json() for name in (*named, "latency_p50_ms", "latency_p95_ms")},
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
