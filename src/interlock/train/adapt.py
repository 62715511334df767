"""Masked-word pretraining of an encoder on unlabelled messages, before it learns labels. Knows no labels.

Domain-adaptive pretraining (Gururangan et al. 2020): a share of the words is hidden and the encoder learns to fill them
in, so that it has met the domain's words before it sees a label. The head that names the words is new, tied to the word
embeddings, and thrown away afterwards.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention

from interlock.core.clock import Clock
from interlock.core.dataset import Dataset, Example
from interlock.core.errors import InputError, Problem
from interlock.train.batches import pad, scoring_batches
from interlock.train.dropout import seed_dropout
from interlock.train.journal import Journal
from interlock.train.learner import Learner
from interlock.train.loop import Loop, Task
from interlock.train.model import DEFAULT_RATE, recompute_activations, reduced_precision
from interlock.train.recipe import Recipe
from interlock.train.rows import Rows, encode_rows
from interlock.train.step import Steps
from interlock.train.training import ADAPTED

HELD = 0.05  # share of the texts that are only measured
GENTLER = 0.5  # times the encoder's rate of fine-tuning
LEFT, SWAPPED = 0.1, 0.1  # of the hidden words: shown as they are, or as another word (Devlin et al. 2019)
NAME = "unlabelled"  # what every text is labelled, so that rows are rows


class WordsHidden(torch.nn.Module):
    """An encoder with a head that names hidden words, tied to the word embeddings; it starts by changing nothing."""

    def __init__(self, encoder: Any) -> None:
        """Build the head beside ``encoder``, which is trained in place."""
        super().__init__()
        self.encoder = encoder
        words, width = encoder.get_input_embeddings().weight.shape
        self.transform = torch.nn.Linear(encoder.config.hidden_size, width)
        torch.nn.init.eye_(self.transform.weight)
        torch.nn.init.zeros_(self.transform.bias)
        self.norm = torch.nn.LayerNorm(width)
        self.bias = torch.nn.Parameter(torch.zeros(words))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """Return logits (tokens that ``hidden`` marks, words); marks are (batch, tokens)."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state[hidden]
        return F.linear(
            self.norm(F.gelu(self.transform(states))), self.encoder.get_input_embeddings().weight, self.bias
        )


class Hider:
    """Hides words of rows; which ones depends on the seed, the step and the row alone."""

    def __init__(self, tokenizer: Any, *, words: int, share: float, seed: int) -> None:
        """Hide a ``share`` of the tokens, at least one a row. A tokenizer without a mask uses its unknown token."""
        found = tokenizer.mask_token_id if tokenizer.mask_token_id is not None else tokenizer.unk_token_id
        if found is None:
            raise InputError("this encoder cannot learn from hidden words: its tokenizer has no mask token")
        self.mask, self.words, self.share, self.seed = found, words, share, seed
        self.special = torch.tensor(sorted(set(tokenizer.all_special_ids)))

    def hide(self, ids: torch.Tensor, rows: Sequence[int], *, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the ids (n, tokens) as shown, and which of them were hidden."""
        ordinary = ~torch.isin(ids, self.special)
        shown, hidden = ids.clone(), torch.zeros_like(ordinary)
        for at, row in enumerate(rows):
            places = ordinary[at].nonzero().flatten().numpy()
            chance = np.random.default_rng([self.seed, step, row])
            count = min(len(places), max(1, round(self.share * len(places))))
            chosen = chance.choice(places, count, replace=False)
            kind = chance.random(count)
            swapped = torch.from_numpy(chance.integers(0, self.words, count))
            what = torch.where(torch.from_numpy(kind < LEFT + SWAPPED), swapped, self.mask)
            shown[at, chosen] = torch.where(torch.from_numpy(kind < LEFT), ids[at, chosen], what)
            hidden[at, chosen] = True
        return shown, hidden


class Filler(Steps):
    """Learns to fill in hidden words."""

    def __init__(self, task: Task, hider: Hider, *, recipe: Recipe, total: int, clock: Clock) -> None:
        """Fill in what ``hider`` hides."""
        super().__init__(task.model, task.rows, pad_id=task.pad_id, recipe=recipe, total=total, clock=clock)
        self.hider = hider

    def losses(self, batch: list[int], step: int) -> tuple[torch.Tensor, float]:
        """Return each row's mean loss over its hidden words, (n,), and the sum over rows of the share found."""
        ids, mask = self._padded(batch)
        shown, hidden = self.hider.hide(ids, batch, step=step)
        with reduced_precision():
            logits = self.model(shown, mask, hidden).float()
        losses, found = by_row(logits, ids, hidden)
        return losses, float(found.sum())


def by_row(logits: torch.Tensor, ids: torch.Tensor, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return each row's mean loss over its hidden words, and the share of them that was found, both (n,).

    A row without words has loss 0.
    """
    gold, row = ids[hidden], hidden.nonzero()[:, 0]
    each = F.cross_entropy(logits, gold, reduction="none")
    right = (logits.argmax(dim=1) == gold).float()
    count = hidden.sum(dim=1).clamp_min(1)
    losses, found = (torch.zeros(len(ids)).index_add(0, row, values) / count for values in (each, right))
    return losses, found


class Adapting(Loop):
    """The training loop over texts whose words are hidden."""

    labelled = False

    def __init__(self, task: Task, hider: Hider, recipe: Recipe, *, journal: Journal) -> None:
        """Prepare."""
        self.hider = hider
        super().__init__(task, recipe, journal=journal)

    def _steps(self, total: int) -> Steps:
        return Filler(self.task, self.hider, recipe=self.recipe, total=total, clock=self.clock)

    def measured(self) -> dict[str, float]:
        """Measure the held texts, always with the same words hidden."""
        rows, sums = self.task.held, torch.zeros(2)
        self.task.model.eval()
        with torch.inference_mode(), reduced_precision():
            for batch in scoring_batches([len(ids) for ids in rows.ids]):
                ids, mask = pad([rows.ids[row] for row in batch], self.task.pad_id)
                shown, hidden = self.hider.hide(ids, batch, step=0)
                losses, found = by_row(self.task.model(shown, mask, hidden).float(), ids, hidden)
                sums += torch.stack([losses.sum(), found.sum()])
        loss, found = (sums / max(1, len(rows.ids))).tolist()
        return {"val_loss": loss, "val_acc": found} if rows.ids else {}


def adapt(learner: Learner, texts: Sequence[str]) -> dict[str, Any]:
    """Train the encoder inside a classifier on ``texts`` in place; return what was done.

    Where there are checkpoints, an interrupted run goes on from a file beside theirs, which also holds the finished
    state.

    Raises:
        InputError: no text that the input policy lets through, a tokenizer without a mask, a loss that is no number.
    """
    model, tokenizer, recipe = learner.model, learner.tokenizer, learner.recipe
    rows, held = _divided(encode_rows(_unlabelled(texts), tokenizer, [NAME], learner.policy), seed=recipe.seed)
    if not rows.ids:
        raise InputError(
            "no unlabelled text is left to learn from",
            [Problem("--adapt", "", "texts that are no calibration or test rows and keep the input policy", "none")],
        )
    rate = recipe.adapt_rate or GENTLER * (learner.encoder.learning_rate or DEFAULT_RATE)
    own = replace(recipe, epochs=recipe.adapt_epochs, learning_rate=rate, keep="last", stop_early=False)
    inner = getattr(model, "base", model).base_model
    whole = WordsHidden(inner)
    task = Task(whole, tokenizer.pad_token_id, rows, held, torch.ones(1), [1.0] * len(rows.ids), [])
    hider = Hider(tokenizer, words=len(whole.bias), share=recipe.adapt_mask, seed=recipe.seed)
    loop = Adapting(task, hider, own, journal=learner.journal.part("adapt", kept=ADAPTED))
    if recipe.checkpointing:
        recompute_activations(model)
    else:
        seed_dropout(whole, loop.stepper.noise)
    facts = loop.run()
    loop.save()
    whole.zero_grad(set_to_none=True)  # what stays frozen from here on must not count in a gradient's norm
    return {"texts": len(rows.ids), "held": len(held.ids), "steps": facts["steps"], **loop.progress.epochs[-1]}


def _unlabelled(texts: Sequence[str]) -> Dataset:
    return Dataset(tuple(Example(str(at), text, (NAME,)) for at, text in enumerate(texts)))


def _divided(rows: Rows, *, seed: int) -> tuple[Rows, Rows]:
    """Return the rows to learn from and the held ones."""
    order = list(range(len(rows.ids)))
    random.Random(seed).shuffle(order)
    held = round(HELD * len(order))
    return _part(rows, sorted(order[held:])), _part(rows, sorted(order[:held]))


def _part(rows: Rows, numbers: list[int]) -> Rows:
    return Rows(
        [rows.ids[row] for row in numbers],
        rows.targets[numbers],
        rows.weights[numbers],
        names=[rows.names[row] for row in numbers],
        truncated=[rows.truncated[row] for row in numbers],
        languages=[rows.languages[row] for row in numbers],
    )
