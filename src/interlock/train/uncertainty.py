"""How much a model disagrees with itself when parts of it are dropped. Knows no gold labels.

Monte Carlo dropout (Gal & Ghahramani 2016): the spread of several passes with dropout stands for what the model does
not know, their mean entropy for what the message leaves open.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from interlock.core.errors import InputError, Problem
from interlock.train.batches import pad, scoring_batches
from interlock.train.dropout import Noise, seed_dropout
from interlock.train.mean_pooling import MeanPooled, mean_pooled_again
from interlock.train.model import logits_of, reduced_precision
from interlock.train.rows import Rows

Floats = npt.NDArray[np.float64]
MOST_PASSES = 1000


@dataclass(frozen=True)
class Uncertainty:
    """What is uncertain about n rows, k labels; entropies in nats, 0 to ln k. More is less certain."""

    plain: Floats  # (n, k) probabilities of one pass without dropout
    mean: Floats  # (n, k) of all passes with dropout
    entropy: Floats  # (n,) of the mean: predictive entropy
    information: Floats  # (n,) mutual information of label and model (BALD; Houlsby et al. 2011), 0 to the entropy

    def scores(self) -> dict[str, Floats]:
        """Return every score that may find errors, (n,) each, high where an error is likely; plain confidence first."""
        return {
            "confidence": 1 - self.plain.max(axis=1),
            "mc_confidence": 1 - self.mean.max(axis=1),
            "predictive_entropy": self.entropy,
            "mutual_information": self.information,
        }


def uncertainty(model: Any, rows: Rows, *, pad_id: int, passes: int, seed: int) -> Uncertainty:
    """Pass every row ``passes`` times with dropout; the masks depend on the seed, the pass and the batch.

    Raises:
        InputError: fewer than two passes, or a model without dropout.
    """
    if not 2 <= passes <= MOST_PASSES:  # noqa: PLR2004 - one pass has no spread
        raise InputError("this spread cannot be taken", [Problem("passes", "", f"2 to {MOST_PASSES}", str(passes))])
    if not any(module.p > 0 for module in model.modules() if "dropout" in type(module).__name__.lower()):
        raise InputError("this model drops nothing", todo="Choose an encoder with dropout.")
    plain = torch.zeros(len(rows.ids), rows.targets.shape[1], dtype=torch.float64)
    for batch, logits in logits_of(model, rows, pad_id):
        plain[batch] = torch.softmax(logits.double(), dim=1)
    noise = Noise(seed)
    seed_dropout(model, noise)
    total, within = torch.zeros_like(plain), torch.zeros(len(plain), dtype=torch.float64)
    batches = list(scoring_batches([len(ids) for ids in rows.ids]))
    model.train()
    with torch.inference_mode(), reduced_precision():
        for turn in range(passes):
            for number, batch in enumerate(batches):
                noise.start(turn * len(batches) + number)
                ids, mask = pad([rows.ids[row] for row in batch], pad_id)
                found = torch.softmax(model(input_ids=ids, attention_mask=mask).logits.double(), dim=1)
                total[batch] += found / passes
                within[batch] += _entropy(found) / passes
    model.eval()
    entropy = _entropy(total)
    return Uncertainty(plain.numpy(), total.numpy(), entropy.numpy(), (entropy - within).clamp_min(0).numpy())


def _entropy(probabilities: torch.Tensor) -> torch.Tensor:
    out: torch.Tensor = torch.special.entr(probabilities).sum(dim=1)
    return out


def read_model(files: Mapping[str, bytes]) -> tuple[Any, Any]:
    """Return the model and the tokenizer of a saved directory's files, path (its last part counts) to bytes.

    Raises:
        InputError: they are not those of a trained classifier.
    """
    import transformers

    transformers.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as scratch:
        for name, data in files.items():
            (Path(scratch) / Path(name).name).write_bytes(data)
        try:
            model: Any = transformers.AutoModelForSequenceClassification.from_pretrained(scratch)
            tokenizer: Any = transformers.AutoTokenizer.from_pretrained(scratch)
        except (OSError, ValueError, RuntimeError) as error:
            problem = Problem("model/", "", "a trained classifier", str(error)[:200])
            raise InputError("the model directory does not load", [problem]) from error
    again: MeanPooled | None = mean_pooled_again(model)
    return (again or model).eval(), tokenizer
