"""Every track trains, leaves a plain model, and touches what it says it touches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from interlock.core.clock import SystemClock
from interlock.core.contract import InputPolicy
from interlock.core.dataset import CalibrationSet, Example, TrainSet
from interlock.core.errors import InputError
from interlock.train.encoders import load, resolve
from interlock.train.fit import Fitted, fit, seed_everything
from interlock.train.recipe import Recipe
from interlock.train.rows import Rows, encode_rows
from interlock.train.step import TOKENS_AT_ONCE, Stepper
from interlock.train.step_log import StepLog
from interlock.train.teacher import taught

WORDS = {"a": "apple pear plum", "b": "boat ship raft", "c": "cloud rain storm"}
ROWS = TrainSet(
    tuple(
        Example(f"{label}{i}", f"{words.split()[i % 3]} {'very ' * (i % 4)}much", (label,))
        for label, words in WORDS.items()
        for i in range(20)
    )
)
RECIPE = Recipe(epochs=8, batch_size=8, learning_rate=5e-3, rdrop=0.0)


def trained(folder: Path, recipe: Recipe) -> tuple[Fitted, dict[str, torch.Tensor]]:
    seed_everything(recipe.seed)
    before = {
        name: value.clone() for name, value in load(resolve("tiny"), list(WORDS), ROWS.texts)[0].named_parameters()
    }
    with StepLog(folder / "train.jsonl") as log:
        fitted = fit(
            ROWS,
            CalibrationSet(ROWS.examples[::4]),
            labels=list(WORDS),
            encoder=resolve("tiny"),
            recipe=recipe,
            policy=InputPolicy(),
            log=log,
            clock=SystemClock(),
        )
    return fitted, before


def accuracy(fitted: Fitted) -> float:
    ids = fitted.tokenizer(ROWS.texts, return_tensors="pt", padding=True)
    with torch.inference_mode():
        said = fitted.model(input_ids=ids["input_ids"], attention_mask=ids["attention_mask"]).logits.argmax(dim=1)
    return float(np.mean([fitted.labels[column] == row.label for column, row in zip(said.tolist(), ROWS, strict=True)]))


TRACKS: dict[str, dict[str, Any]] = {
    "full": {},
    "partial": {"frozen_layers": 1},
    "lora": {"lora_rank": 4, "learning_rate": 2e-3, "epochs": 25},
    "head": {},
    "activations computed again": {"track": "full", "checkpointing": True},
    "twice with different dropout": {"track": "full", "rdrop": 1.0},
    "with a contrastive loss": {"track": "full", "contrast": 0.3, "brier": 0.2, "gamma_end": 0.0, "decay": "cosine"},
}


@pytest.mark.parametrize(("name", "options"), TRACKS.items(), ids=TRACKS)
def test_every_track_learns_and_leaves_a_plain_model(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    fitted, before = trained(tmp_path, replace(RECIPE, **{"track": name, **options}))

    assert accuracy(fitted) > 0.9
    assert dict(fitted.model.named_parameters()).keys() == before.keys()
    fitted.save(tmp_path / "model")
    assert (tmp_path / "model" / "model.safetensors").is_file()


def moved(fitted: Fitted, before: dict[str, torch.Tensor]) -> set[str]:
    return {name for name, value in fitted.model.named_parameters() if not torch.equal(value, before[name])}


def test_the_partial_track_leaves_embeddings_and_lower_layers_as_they_were(tmp_path: Path) -> None:
    fitted, before = trained(tmp_path, replace(RECIPE, track="partial", frozen_layers=1))
    names = moved(fitted, before)

    assert names
    assert not [name for name in names if "embeddings" in name or "layer.0." in name]
    assert [name for name in names if "layer.1." in name]


def test_the_head_track_moves_the_head_alone(tmp_path: Path) -> None:
    fitted, before = trained(tmp_path, replace(RECIPE, track="head"))

    assert moved(fitted, before) == {"classifier.weight", "classifier.bias"}


def test_low_rank_additions_are_added_into_the_layers_they_stood_beside(tmp_path: Path) -> None:
    fitted, before = trained(tmp_path, replace(RECIPE, track="lora", lora_rank=2, learning_rate=2e-2))
    after = dict(fitted.model.named_parameters())
    name = "bert.encoder.layer.1.attention.self.query.weight"

    assert int(torch.linalg.matrix_rank(after[name] - before[name], atol=1e-5)) == 2
    assert torch.equal(
        after["bert.embeddings.word_embeddings.weight"], before["bert.embeddings.word_embeddings.weight"]
    )


@pytest.mark.parametrize("layers", [0, 2, 9])
def test_freezing_no_layer_or_all_of_them_is_refused(layers: int, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="frozen_layers"):
        trained(tmp_path, replace(RECIPE, track="partial", frozen_layers=layers))


def test_a_batch_that_memory_does_not_hold_is_computed_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses, most = Stepper.losses, []

    def scarce(stepper: Stepper, batch: list[int], step: int) -> Any:
        if len(batch) > 3:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        most.append(len(batch))
        return losses(stepper, batch, step)

    monkeypatch.setattr(Stepper, "losses", scarce)
    fitted, _ = trained(tmp_path, RECIPE)

    assert accuracy(fitted) > 0.9
    assert max(most) == 2  # half of half of 8


def test_parts_of_a_batch_add_up_to_its_gradient() -> None:
    seed_everything(1)
    model, tokenizer = load(resolve("tiny"), list(WORDS), ROWS.texts)
    rows = encode_rows(ROWS, tokenizer, list(WORDS), InputPolicy())
    steps = [
        Stepper(
            model.eval(),
            rows,
            pad_id=tokenizer.pad_token_id,
            weights=torch.ones(3),
            recipe=Recipe(micro_batch=micro),
            total=1,
            clock=SystemClock(),
        )
        for micro in (60, 7)
    ]
    gradients = []
    for stepper in steps:
        stepper._gradient(list(range(60)), 1)
        gradients.append(
            {name: value.grad.clone() for name, value in model.named_parameters() if value.grad is not None}
        )

    whole, parts = gradients
    assert all(torch.allclose(parts[name], value, rtol=0.05, atol=1e-3) for name, value in whole.items())


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(rdrop=0.0), Recipe(contrast=1.0), Recipe(micro_batch=5)])
def test_long_texts_are_computed_few_at_a_time(recipe: Recipe) -> None:
    model, _ = load(resolve("tiny"), list(WORDS), ROWS.texts)
    lengths = (5, 50, 500, 5000)
    ids = [[0] * n for n in lengths]
    rows = Rows(ids, torch.eye(3)[[0, 1, 2, 0]], torch.ones(4), list("abcd"), [False] * 4, ["en"] * 4)
    stepper = Stepper(model, rows, pad_id=0, weights=torch.ones(3), recipe=recipe, total=1, clock=SystemClock())
    at_once = [stepper._at_once([0, row]) for row in range(4)]

    if recipe.contrast:  # rows are compared with each other
        assert at_once == [64] * 4
    else:
        assert at_once[0] == stepper.micro
        assert all(
            size == 1 or size * n * stepper.passes <= TOKENS_AT_ONCE for size, n in zip(at_once, lengths, strict=True)
        )
        assert at_once[3] == 1


def test_activations_computed_again_give_the_same_bits(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    recipe = replace(RECIPE, epochs=2, checkpointing=True)
    one, other = trained(tmp_path, recipe)[0], trained(tmp_path / "again", recipe)[0]

    assert all(torch.equal(a, b) for a, b in zip(one.model.parameters(), other.model.parameters(), strict=True))


def test_a_teacher_shares_in_every_target_and_a_student_learns_from_it_alone(tmp_path: Path) -> None:
    teacher, _ = trained(tmp_path, RECIPE)
    teacher.save(tmp_path / "run" / "model")
    rows = encode_rows(ROWS, teacher.tokenizer, list(WORDS), InputPolicy())
    recipe = replace(RECIPE, teacher=f"{tmp_path / 'run'}, {tmp_path / 'run'}", teacher_share=0.25)
    soft = taught(rows, ROWS, list(WORDS), recipe, InputPolicy()).targets

    assert torch.allclose(soft.sum(dim=1), torch.ones(len(ROWS)))
    assert bool((soft[rows.targets == 1] >= 0.75).all())
    shuffled = TrainSet(tuple(replace(row, labels=("abc"[i % 3],)) for i, row in enumerate(ROWS)))
    (tmp_path / "student").mkdir()
    with StepLog(tmp_path / "student" / "train.jsonl") as log:
        student = fit(
            shuffled,
            CalibrationSet(()),
            labels=list(WORDS),
            encoder=resolve("tiny"),
            recipe=replace(recipe, teacher_share=1.0),
            policy=InputPolicy(),
            log=log,
            clock=SystemClock(),
        )
    assert accuracy(student) > 0.9


def test_a_teacher_for_other_labels_or_none_at_all_is_refused(tmp_path: Path) -> None:
    teacher, _ = trained(tmp_path, replace(RECIPE, epochs=1))
    teacher.save(tmp_path / "run" / "model")
    rows = encode_rows(ROWS, teacher.tokenizer, list(WORDS), InputPolicy())

    with pytest.raises(InputError, match="other labels"):
        taught(rows, ROWS, ["a", "b", "z"], replace(RECIPE, teacher=str(tmp_path / "run")), InputPolicy())
    with pytest.raises(InputError, match="cannot be loaded"):
        taught(rows, ROWS, list(WORDS), replace(RECIPE, teacher=str(tmp_path / "nothing")), InputPolicy())
