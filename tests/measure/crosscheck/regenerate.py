"""Ask netcal and MAPIE for the values that ``test_crosscheck.py`` compares ours with; run by hand.

netcal needs torch to be imported and MAPIE scikit-learn, neither of which should be installed for this alone:

    python -m venv --system-site-packages /tmp/crosscheck    # from an environment that has torch and scikit-learn
    /tmp/crosscheck/bin/pip install --no-deps netcal==1.4.0 MAPIE==1.6.0
    /tmp/crosscheck/bin/python tests/measure/crosscheck/regenerate.py

prints the JSON of ``values.json`` beside this file.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version

import numpy as np
import tables  # type: ignore[import-not-found]  # the file beside this one
from mapie.metrics.calibration import expected_calibration_error, top_label_ece  # type: ignore[import-not-found]
from netcal.metrics import ACE, ECE, MCE  # type: ignore[import-not-found]


def main() -> None:
    stated, hits = np.array(tables.confidence()), np.array(tables.correct())
    p, gold = np.array(tables.probabilities()), np.array(tables.gold())
    values: dict[str, float] = {}
    for bins in (10, 15, 20):
        values[f"netcal ECE({bins}, detection=True)"] = ECE(bins, detection=True).measure(stated, hits)
        mass = ECE(bins, equal_intervals=False, detection=True).measure(stated, hits)
        values[f"netcal ECE({bins}, equal_intervals=False, detection=True)"] = mass
        edges = bins + 1  # MAPIE is told the edges
        ece = expected_calibration_error(hits, stated, num_bins=edges, split_strategy="uniform")
        values[f"MAPIE expected_calibration_error(num_bins={edges}, uniform)"] = float(ece)
    values["netcal MCE(20, detection=True)"] = MCE(20, detection=True).measure(stated, hits)
    values["netcal ACE(10, detection=True)"] = ACE(10, detection=True).measure(stated, hits)
    values["netcal ECE(10) of three labels"] = ECE(10).measure(p, gold)
    top = top_label_ece(gold, p, num_bins=11, split_strategy="uniform")
    values["MAPIE top_label_ece(num_bins=11, uniform)"] = float(top)
    made = {"versions": {name: version(name) for name in ("netcal", "mapie", "numpy")}, "values": values}
    sys.stdout.write(json.dumps(made, indent=2) + "\n")


if __name__ == "__main__":
    main()
