"""An encoder adapted to unlabelled messages: what is hidden, what is learnt, what is remembered and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from interlock.core.clock import SystemClock
from interlock.core.contract import InputPolicy
from interlock.core.dataset import CalibrationSet, Example, Split, SplitManifest, TestSet, TrainSet
from interlock.core.errors import InputError
from interlock.data.unlabelled import unlabelled
from interlock.train.adapt import Hider, WordsHidden, by_row
from interlock.train.batches import pad
from interlock.train.encoders import load, resolve
from interlock.train.fit import Fitted, fit, seed_everything
from interlock.train.recipe import Recipe
from interlock.train.step_log import StepLog

ROWS = TrainSet(
    tuple(
        Example(f"{label}{i}", f"{word} number {i} of many", (label,))
        for label, word in (("a", "apple"), ("b", "boat"))
        for i in range(12)
    )
)
TEXTS = [f"the {animal} eats the {food} of the {animal}" for animal in ("cat", "dog", "cow") for food in "bcdefgh"]
RECIPE = Recipe(epochs=2, batch_size=4, learning_rate=1e-3, adapt="texts.jsonl", adapt_epochs=3)


class KilledError(Exception):
    """What a test throws into the loop."""


def trained(folder: Path, *, recipe: Recipe = RECIPE, texts: list[str] | None = None, die_after: int = 99) -> Fitted:
    """Train the tiny encoder; raise after ``die_after`` lines of the log."""
    from interlock.train.checkpoint import Checkpoints

    seen = 0

    def watch(_line: dict[str, Any]) -> None:
        nonlocal seen
        seen += 1
        if seen > die_after:
            raise KilledError

    folder.mkdir(exist_ok=True)
    with StepLog(folder / "train.jsonl", watch) as log:
        return fit(
            ROWS,
            CalibrationSet(ROWS.examples[::3]),
            labels=["a", "b"],
            encoder=resolve("tiny"),
            recipe=recipe,
            policy=InputPolicy(),
            log=log,
            clock=SystemClock(),
            checkpoints=Checkpoints(folder / "checkpoint.safetensors", key="this run", every=0.0, share=1.0),
            unlabelled=TEXTS if texts is None else texts,
        )


def file_of(folder: Path, *texts: str) -> Path:
    path = folder / "u.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return path


def log_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]


def test_filling_in_hidden_words_is_learnt_and_watched(tmp_path: Path) -> None:
    fitted = trained(tmp_path, recipe=replace(RECIPE, epochs=1, adapt_epochs=12))
    epochs = [line for line in log_of(tmp_path) if line["event"] == "adapt_epoch"]
    steps = [line for line in log_of(tmp_path) if line["event"] == "adapt"]

    assert len(epochs) == 12
    assert epochs[-1]["train_loss"] < 0.7 * epochs[0]["train_loss"]
    assert epochs[-1]["val_loss"] < epochs[0]["val_loss"]
    assert steps[-1]["step"] == steps[-1]["steps"] == 60  # 20 of 21 texts are learnt from, 4 a step
    assert fitted.facts["adapted"]["texts"] == 20
    assert fitted.facts["adapted"]["held"] == 1


@pytest.mark.parametrize("track", ["full", "lora", "partial", "head"])
def test_every_track_goes_on_from_the_adapted_encoder(tmp_path: Path, track: str) -> None:
    recipe = replace(RECIPE, track=track, frozen_layers=1)  # type: ignore[arg-type]
    fitted = trained(tmp_path / "with", recipe=recipe)
    plain = trained(tmp_path / "without", recipe=replace(recipe, adapt=None), texts=[])

    assert dict(fitted.model.named_parameters()).keys() == dict(plain.model.named_parameters()).keys()
    one, other = (
        dict(made.model.named_parameters())["bert.encoder.layer.0.output.dense.weight"] for made in (fitted, plain)
    )
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("track", "die_after"), [("full", 2), ("full", 4), ("lora", 5), ("partial", 4), ("partial", 5)]
)
def test_an_interrupted_adaptation_ends_in_the_same_bits(tmp_path: Path, track: str, die_after: int) -> None:
    recipe = replace(RECIPE, track=track, frozen_layers=1)  # type: ignore[arg-type]
    whole = trained(tmp_path / "whole", recipe=recipe)
    with pytest.raises(KilledError):
        trained(tmp_path / "cut", recipe=recipe, die_after=die_after)
    resumed = trained(tmp_path / "cut", recipe=recipe)

    state = dict(resumed.model.state_dict())
    assert all(torch.equal(value, state[name]) for name, value in whole.model.state_dict().items())
    events = [line["event"] for line in log_of(tmp_path / "cut") if line["event"] != "note"]
    assert events == [line["event"] for line in log_of(tmp_path / "whole")]


def test_killed_in_fine_tuning_it_does_not_adapt_again(tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        trained(tmp_path, die_after=5)
    (tmp_path / "checkpoint.safetensors").unlink()
    before = (tmp_path / "adapted.safetensors").stat().st_mtime_ns
    lines: list[str] = [line["event"] for line in log_of(tmp_path)]
    trained(tmp_path)

    assert lines.count("adapt_epoch") == 3
    assert [line["event"] for line in log_of(tmp_path)].count("adapt_epoch") == 3
    assert (tmp_path / "adapted.safetensors").stat().st_mtime_ns >= before


def test_the_hidden_words_depend_on_seed_step_and_row_alone() -> None:
    seed_everything(1)
    _, tokenizer = load(resolve("tiny"), ["a", "b"], [*ROWS.texts, *TEXTS])
    hider = Hider(tokenizer, words=len(tokenizer), share=0.3, seed=7)
    ids, _ = pad(tokenizer(TEXTS)["input_ids"], tokenizer.pad_token_id)
    shown, hidden = hider.hide(ids, list(range(len(TEXTS))), step=3)
    again = hider.hide(ids[5:9], [5, 6, 7, 8], step=3)

    assert torch.equal(again[0], shown[5:9])
    assert torch.equal(again[1], hidden[5:9])
    assert not torch.equal(hider.hide(ids, list(range(len(TEXTS))), step=4)[1], hidden)
    assert hidden.sum(dim=1).tolist() == [round(0.3 * 8)] * len(TEXTS)  # eight words a text, none of them special
    assert torch.equal(shown[~hidden], ids[~hidden])
    assert not hidden[torch.isin(ids, torch.tensor(tokenizer.all_special_ids))].any()


def test_eight_of_ten_hidden_words_are_masked_one_swapped_and_one_left() -> None:
    _, tokenizer = load(resolve("tiny"), ["a", "b"], TEXTS)
    hider = Hider(tokenizer, words=len(tokenizer), share=0.9, seed=1)
    ids = torch.full((400, 102), 5)
    shown, hidden = hider.hide(ids, list(range(400)), step=1)
    share = len(ids.flatten()) * 0.9

    assert int(hidden.sum()) == 400 * round(0.9 * 102)
    assert float((shown == hider.mask).sum()) / share == pytest.approx(0.8, abs=0.01)
    assert float(((shown != hider.mask) & (shown != ids)).sum()) / share == pytest.approx(0.1, abs=0.015)


def test_a_row_counts_by_the_mean_of_its_words_and_a_row_without_words_by_nothing() -> None:
    ids = torch.tensor([[1, 0], [1, 1], [0, 0]])
    hidden = torch.tensor([[True, False], [True, True], [False, False]])
    logits = torch.tensor([[0.0, 0.0], [0.0, 50.0], [50.0, 0.0]])
    losses, found = by_row(logits, ids, hidden)

    assert losses.tolist() == pytest.approx([0.693147, 25.0, 0.0])
    assert found.tolist() == [0.0, 0.5, 0.0]


def test_the_head_is_tied_to_the_word_vectors() -> None:
    model, _ = load(resolve("tiny"), ["a", "b"], TEXTS)
    whole = WordsHidden(model.base_model)
    ids = torch.tensor([[2, 5, 6, 3]])
    whole(ids, torch.ones_like(ids), torch.tensor([[False, True, False, False]])).sum().backward()

    grown = model.get_input_embeddings().weight.grad
    assert int((grown.abs().sum(dim=1) > 0).sum()) == len(grown)  # every word's vector had a say
    assert not [name for name, _ in whole.named_parameters() if "decoder" in name]


def split_of(calibration: list[str], test: list[str]) -> Split:
    def rows(name: str, texts: list[str]) -> tuple[Example, ...]:
        return tuple(Example(f"{name}{at}", text, ("a",)) for at, text in enumerate(texts))

    return Split(
        TrainSet(ROWS.examples),
        CalibrationSet(rows("c", calibration)),
        TestSet(rows("t", test)),
        SplitManifest("given", 1, {}, {}, {}),
    )


def test_messages_that_are_measured_on_are_not_learnt_from(tmp_path: Path) -> None:
    path = file_of(tmp_path, "Where is it?", "where  IS it?", "a new one", "HELLO\u200b you", "ｆｕｌｌ width")
    said: list[str] = []
    kept = unlabelled(
        path, split_of(["hello you"], ["full width"]), watch=lambda event: said.append(str(event["note"]))
    )

    assert kept == ("Where is it?", "a new one")
    assert said == ["2 unlabelled messages; left out: 2 that are calibration or test rows, 1 that repeat another"]
    with pytest.raises(InputError, match="nothing to adapt"):
        unlabelled(path, split_of(["hello you", "a new one"], ["full width", "where is it?"]))
    assert unlabelled(None, split_of([], [])) == ()


def test_a_file_of_messages_that_does_not_read_names_every_row(tmp_path: Path) -> None:
    (tmp_path / "u.jsonl").write_text('{"text": 3}\n{"label": "x"}\n{"text": " "}\n')

    with pytest.raises(InputError, match="3 problems"):
        unlabelled(tmp_path / "u.jsonl", split_of([], []))


def test_a_recipe_that_names_messages_is_not_followed_without_them(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no unlabelled messages were given"):
        trained(tmp_path, texts=[])


def test_texts_that_the_input_policy_refuses_leave_nothing_to_learn_from(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no unlabelled text is left"):
        trained(tmp_path, texts=["x" * 9000])


def test_the_command_names_the_messages_in_the_receipt(
    shop: Path, tmp_path: Path, command: Callable[..., tuple[int, str, str]]
) -> None:
    texts = file_of(tmp_path, *(f"where is parcel {number}" for number in range(60)))
    options = ["--encoder", "tiny", "--epochs", "1", "--adapt", texts, "--extend-vocabulary", "3", "--json"]
    code, out, err = command(
        *("build", "--contract", shop / "contract.yaml", "--data", shop / "rows.jsonl", "-o", tmp_path / "run"),
        *options,
    )
    receipt = json.loads((tmp_path / "run" / "receipt.json").read_bytes())

    assert code in (0, 1), err
    assert json.loads(out)["run"] == str(tmp_path / "run")
    assert receipt["identity"]["unlabelled_digest"].startswith("sha256:")
    assert receipt["facts"]["training"]["adapted"]["texts"] == 57
    assert not (tmp_path / "run" / "adapted.safetensors").exists()
    assert "60 unlabelled messages" in err
