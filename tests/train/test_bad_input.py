"""Rows, encoders and machines that training was not made for: it trains all the same, or says what is wrong."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tokenizers
import torch
from tokenizers import models, pre_tokenizers, processors

from interlock.core.clock import SystemClock
from interlock.core.contract import InputPolicy
from interlock.core.dataset import CalibrationSet, Example, TrainSet
from interlock.core.errors import InputError
from interlock.train.encoders import resolve
from interlock.train.export import export
from interlock.train.fit import Fitted, fit
from interlock.train.recipe import Recipe
from interlock.train.step_log import StepLog

Command = Callable[..., tuple[int, str, str]]


def trained(
    folder: Path, rows: list[tuple[str, str]], *, encoder: str = "tiny", tokens: int = 32, **recipe: Any
) -> Fitted:
    """Train on (text, label) rows; every logged loss is a number."""
    train = TrainSet(tuple(Example(str(at), text, (label,)) for at, (text, label) in enumerate(rows)))
    with StepLog(folder / "train.jsonl") as log:
        fitted = fit(
            train,
            CalibrationSet(train.examples[:3]),
            labels=sorted({label for _, label in rows}),
            encoder=resolve(encoder),
            recipe=Recipe(**{"epochs": 2, "batch_size": 8, "learning_rate": 1e-3, **recipe}),
            policy=InputPolicy(max_tokens=tokens),
            log=log,
            clock=SystemClock(),
        )
    lines = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    losses = [line[key] for line in lines for key in ("loss", "train_loss", "val_loss") if key in line]
    assert losses
    assert all(loss >= 0 for loss in losses)
    return fitted


@pytest.mark.parametrize("track", ["full", "head", "lora"])
def test_one_row_a_label_trains(tmp_path: Path, track: str) -> None:
    assert trained(tmp_path, [("one", "a"), ("two", "b"), ("six", "c")], track=track).facts["threads"] >= 1


def test_rows_that_are_all_cut_train_and_are_warned_of(tmp_path: Path) -> None:
    trained(tmp_path, [(f"word {'very ' * 40} {i}", "ab"[i % 2]) for i in range(70)], tokens=8, epochs=3)

    assert "batch.truncated" in (tmp_path / "train.jsonl").read_text()


def test_a_thousand_labels_train(tmp_path: Path) -> None:
    fitted = trained(
        tmp_path, [(f"word{i} and word{i % 7}", f"label {i:04d}") for i in range(1000)], batch_size=64, epochs=1
    )

    assert fitted.model.config.num_labels == 1000


@pytest.mark.parametrize("options", [{"oversample": 1.0}, {"contrast": 0.5, "rdrop": 1.0}])
def test_one_row_a_label_trains_with_options_that_compare_rows(tmp_path: Path, options: dict[str, Any]) -> None:
    fitted = trained(tmp_path, [("one", "a"), ("two", "b"), ("six", "c")], **options)

    assert all(bool(torch.isfinite(value).all()) for value in fitted.model.parameters())


@pytest.mark.parametrize("options", [{"keep": "best"}, {"stop_early": True}])
def test_too_few_rows_to_choose_an_epoch_by_are_said(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="3 training rows are too few to choose an epoch"):
        trained(tmp_path, [("one", "a"), ("two", "b"), ("six", "c")], **options)


def encoder_folder(folder: Path, kind: str) -> Path:
    """Write a small random encoder as others publish them: without the classifier, and without what it lacks."""
    import transformers

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "apple", "boat", "pear", "ship", "1", "2"]
    inner = tokenizers.Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="[UNK]"))  # noqa: S106
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    special = {"unk_token": "[UNK]", "pad_token": "[PAD]", "mask_token": "[MASK]", "cls_token": "[CLS]"}
    transformers.PreTrainedTokenizerFast(tokenizer_object=inner, sep_token="[SEP]", **special).save_pretrained(folder)  # noqa: S106
    size = {"vocab_size": len(words), "max_position_embeddings": 64}
    bert = {**size, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    made = {
        "bert without pooler": lambda: transformers.BertModel(transformers.BertConfig(**bert), add_pooling_layer=False),
        "distilbert": lambda: transformers.DistilBertModel(
            transformers.DistilBertConfig(**size, dim=32, n_layers=2, n_heads=2, hidden_dim=32)
        ),
        "roberta": lambda: transformers.RobertaModel(transformers.RobertaConfig(**bert, pad_token_id=0)),
        "electra": lambda: transformers.ElectraModel(transformers.ElectraConfig(**bert, embedding_size=16)),
    }[kind]()
    made.save_pretrained(folder)
    return folder


ROWS = [
    (f"{word} {i % 3}", label)
    for label, words in (("a", "apple pear"), ("b", "boat ship"))
    for word in words.split()
    for i in range(6)
]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bert without pooler", "distilbert", "roberta", "electra"])
def test_an_encoder_of_another_build_is_extended_trained_and_exported(tmp_path: Path, kind: str) -> None:
    folder = encoder_folder(tmp_path / "encoder", kind)
    rows = [*ROWS, *(("naruto 1", "a") for _ in range(4))]
    fitted = trained(tmp_path, rows, encoder=str(folder), epochs=12, learning_rate=1e-2, extend_vocabulary=4)
    export(fitted, tmp_path / "model.onnx")

    assert fitted.facts["words_added"] == 1
    assert (tmp_path / "model.onnx").stat().st_size > 0


@pytest.mark.parametrize("kind", ["bert without pooler", "distilbert", "roberta", "electra"])
def test_an_encoder_of_another_build_learns_hidden_words(tmp_path: Path, kind: str) -> None:
    folder = encoder_folder(tmp_path / "encoder", kind)
    train = TrainSet(tuple(Example(str(at), text, (label,)) for at, (text, label) in enumerate(ROWS)))
    with StepLog(tmp_path / "train.jsonl") as log:
        fitted = fit(
            *(train, CalibrationSet(())),
            labels=["a", "b"],
            encoder=resolve(str(folder)),
            recipe=Recipe(epochs=1, batch_size=8, learning_rate=1e-3, adapt="x", checkpointing=kind == "distilbert"),
            policy=InputPolicy(),
            log=log,
            clock=SystemClock(),
            unlabelled=["apple boat", "pear 1", "ship 2 apple"],
        )

    assert fitted.facts["adapted"]["texts"] == 3


@pytest.mark.parametrize(("said", "meant"), [("minlm", "minilm"), ("distilbrt", "distilbert"), ("tinny", "tiny")])
def test_an_encoder_that_is_mistyped_is_guessed(said: str, meant: str) -> None:
    with pytest.raises(InputError, match=f"did you mean '{meant}'"):
        resolve(said)


def test_an_encoder_of_the_hub_that_is_not_there_is_named_before_anything_is_written(
    shop: Path, tmp_path: Path, command: Command
) -> None:
    options = ["--data", shop / "rows.jsonl", "-o", tmp_path / "run", "--encoder", "nobody/nothing-of-the-kind"]
    code, _, err = command("build", "--contract", shop / "contract.yaml", *options)

    assert code == 2
    assert "nobody/nothing-of-the-kind" in err
    assert "Traceback" not in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("spoilt", ["config.json", "model.safetensors", "tokenizer.json"])
def test_an_encoder_folder_that_is_spoilt_is_named(tmp_path: Path, spoilt: str) -> None:
    folder = encoder_folder(tmp_path / "encoder", "distilbert")
    (folder / spoilt).write_text("spoilt")

    with pytest.raises(InputError, match="encoder"):
        trained(tmp_path, ROWS, encoder=str(folder))


def test_a_label_without_rows_stops_a_build_before_anything_is_written(
    shop: Path, tmp_path: Path, command: Command
) -> None:
    rows = tmp_path / "rows.jsonl"
    kept = [line for line in (shop / "rows.jsonl").read_text().splitlines() if '"refund"' not in line]
    rows.write_text("\n".join(kept) + "\n")
    code, _, err = command("build", "--contract", shop / "contract.yaml", "--data", rows, "-o", tmp_path / "run")

    assert code == 2
    assert "label refund" in err
    assert not (tmp_path / "run").exists()


def few(path: Path, *, count: int, text: str = "") -> Path:
    """Write ``count`` rows a label; all with one text where it is given."""
    rows = [
        {"id": f"{label}{i}", "text": text or f"{label} number {i}", "label": label}
        for label in ("order", "refund", "hello")
        for i in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(("count", "text"), [(1, ""), (2, ""), (40, "the same text"), (1, "the same text")])
def test_too_little_to_split_is_said_or_built(
    shop: Path, tmp_path: Path, command: Command, count: int, text: str
) -> None:
    rows = few(tmp_path / "rows.jsonl", count=count, text=text)
    options = ["--encoder", "tiny", "--epochs", "1", "-o", tmp_path / "run"]
    code, _, err = command("build", "--contract", shop / "contract.yaml", "--data", rows, *options)

    assert "Traceback" not in err
    assert code == 2
    assert not (tmp_path / "run" / "bundle").exists()


SMALL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a full disk is an error, not a signal
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
from interlock.cli.app import run
sys.exit(run(sys.argv[2:]))
"""


@pytest.mark.slow
def test_a_disk_that_is_full_at_the_checkpoint_is_warned_of_and_at_the_model_ends_the_build(
    shop: Path, tmp_path: Path
) -> None:
    most = 300_000  # bytes a file may have: the step log fits, the weights and checkpoints do not
    command = [sys.executable, "-c", SMALL, str(most), "build", "--contract", str(shop / "contract.yaml")]
    options = ["--data", str(shop / "rows.jsonl"), "-o", str(tmp_path / "run"), "--encoder", "tiny", "--epochs", "1"]
    found = subprocess.run([*command, *options], capture_output=True, text=True, check=False, env={**os.environ})

    assert found.returncode == 2, found.stderr[-2000:]
    assert "Traceback" not in found.stderr
    assert not (tmp_path / "run" / "result.json").exists()
    assert not (tmp_path / "run" / "bundle").exists()
    assert not list((tmp_path / "run").glob("*.part"))
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != most
