"""Training: its formulas, its batches, its standard model, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from interlock.build import Built
from interlock.bundle.layout import GRAPH, GRAPH_INT8
from interlock.core.clock import SystemClock
from interlock.core.contract import InputPolicy
from interlock.core.dataset import CalibrationSet, Example, TrainSet
from interlock.core.errors import InputError
from interlock.predict.encoder import OnnxEncoder
from interlock.predict.normalise import NormalText
from interlock.train.batches import epoch_batches, pad
from interlock.train.encoders import resolve
from interlock.train.fit import fit
from interlock.train.loss import focal_loss
from interlock.train.mean_pooling import MeanPooled
from interlock.train.recipe import Recipe
from interlock.train.step_log import StepLog
from interlock.train.weights import class_weights, layer_rate, schedule


def test_warm_up_rises_and_decay_falls_as_documented() -> None:
    total, warmup = 4125, 413

    assert [2e-5 * schedule(step, total=total, warmup=warmup) for step in (1, 50, 200, 413, 4125)] == pytest.approx(
        [2e-5 * 1 / 413, 2e-5 * 50 / 413, 2e-5 * 200 / 413, 2e-5, 0.0]
    )


def test_layers_learn_slower_towards_the_bottom() -> None:
    assert [layer_rate(2e-5, 0.8, below) for below in (0, 1, 6)] == pytest.approx([2e-5, 2e-5 * 0.8, 2e-5 * 0.8**6])


def test_class_weights_are_inverse_frequencies_with_a_mean_of_one_over_the_rows() -> None:
    counts = {"product_discovery": 22, "escalation": 3, "absent": 0}
    weights = class_weights(counts, list(counts))

    assert weights[1] / weights[0] == pytest.approx(22 / 3)
    assert (22 * weights[0] + 3 * weights[1]) / 25 == pytest.approx(1)
    assert weights[2] == 0


def test_the_focal_loss_of_one_row_is_the_documented_product() -> None:
    logits = torch.log(torch.tensor([[0.35, 0.65]]))
    found = focal_loss(logits, torch.tensor([[1.0, 0.0]]), weights=torch.tensor([0.18, 1.0]), gamma=2.0)

    assert float(found) == pytest.approx(0.18 * (1 - 0.35) ** 2 * -np.log(0.35), rel=1e-5)


@given(st.integers(2, 6), st.integers(0, 1000))
def test_without_focus_and_weights_the_focal_loss_is_cross_entropy(labels: int, seed: int) -> None:
    torch.manual_seed(seed)
    logits, gold = torch.randn(5, labels), torch.randint(labels, (5,))
    targets = torch.nn.functional.one_hot(gold, labels).float()

    assert torch.allclose(
        focal_loss(logits, targets, weights=torch.ones(labels), gamma=0.0),
        torch.nn.functional.cross_entropy(logits, gold, reduction="none"),
        atol=1e-5,
    )


@given(st.lists(st.integers(1, 60), min_size=1, max_size=400), st.integers(1, 40), st.integers(0, 99))
def test_an_epoch_holds_every_row_once_and_is_repeatable(lengths: list[int], size: int, seed: int) -> None:
    batches = epoch_batches(lengths, batch_size=size, seed=seed)

    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert max(map(len, batches)) <= size
    assert batches == epoch_batches(lengths, batch_size=size, seed=seed)


def test_padding_is_masked_and_rounded_up_so_that_shapes_repeat() -> None:
    ids, mask = pad([[5, 6, 7, 8, 9], [5]], pad_id=1)

    assert ids.shape == mask.shape == (2, 8)
    assert ids[1].tolist() == [5, 1, 1, 1, 1, 1, 1, 1]
    assert mask.sum(dim=1).tolist() == [5, 1]


TEXTS = ["where is my order", "hello", "a much longer message about a torn cover and a refund that never came"]


def test_the_saved_directory_opens_with_the_auto_class_and_agrees_with_the_graph(built: Built) -> None:
    import transformers

    folder = built.run / "model"
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    scorer = OnnxEncoder(
        graph=(built.run / GRAPH).read_bytes(),
        tokenizer=(folder / "tokenizer.json").read_bytes(),
        labels=3,
        max_tokens=24,
    )
    with torch.inference_mode():
        for text in TEXTS:
            expected = model(**tokenizer(text, return_tensors="pt", truncation=True, max_length=24)).logits[0].numpy()
            assert scorer.classify(scorer.encode(NormalText(text))).logits == pytest.approx(expected, abs=1e-4)
    assert model.config.id2label == {0: "order", 1: "refund", 2: "hello"}


def test_a_control_token_in_a_message_is_read_as_the_letters_it_shows(built: Built) -> None:
    import transformers

    from interlock.train.rows import encode_rows

    folder = built.run / "model"
    tokenizer = (folder / "tokenizer.json").read_bytes()
    scorer = OnnxEncoder(graph=(built.run / GRAPH).read_bytes(), tokenizer=tokenizer, labels=3, max_tokens=24)
    text = "late [SEP] refund [PAD] [CLS]"
    served = scorer.encode(NormalText(text)).ids
    slow = transformers.AutoTokenizer.from_pretrained(folder)

    for token in (slow.sep_token_id, slow.pad_token_id, slow.cls_token_id):
        assert token not in served[1:-1]
    learnt = encode_rows(TrainSet((Example("a", text, ("order",)),)), slow, ["order"], InputPolicy(max_tokens=24))
    assert learnt.ids == [served]


def test_a_model_over_the_mean_of_its_tokens_saves_as_an_equal_standard_model(tmp_path: Path) -> None:
    import transformers

    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, num_labels=4
    )
    pooled = MeanPooled(transformers.BertForSequenceClassification(config)).eval()
    pooled.standard().save_pretrained(tmp_path)
    read = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    ids = torch.randint(4, 50, (3, 9))
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0

    with torch.inference_mode():
        assert torch.allclose(read(input_ids=ids, attention_mask=mask).logits, pooled(ids, mask).logits, atol=1e-5)


def test_the_int8_graph_agrees_with_the_fp32_graph_on_most_messages(built: Built) -> None:
    found = built.judgement.measurements["quantization_accuracy_loss"]

    assert found.value <= 0.02
    assert (built.run / GRAPH_INT8).stat().st_size < (built.run / GRAPH).stat().st_size


def rows(*texts: str, label: str) -> list[Example]:
    return [Example(f"{label}{i}", text, (label,)) for i, text in enumerate(texts)]


def trained(
    train: list[Example], tmp_path: Path, held: list[Example] | None = None, **recipe: Any
) -> list[dict[str, Any]]:
    log: list[dict[str, Any]] = []
    with StepLog(tmp_path / "train.jsonl", lambda line: log.append(dict(line))) as steps:
        fit(
            TrainSet(tuple(train)),
            CalibrationSet(tuple(held or train)),
            labels=["a", "b"],
            encoder=resolve("tiny"),
            recipe=Recipe(**{"epochs": 2, "track": "full", "batch_size": 4, "learning_rate": 1e-3, **recipe}),
            policy=InputPolicy(),
            log=steps,
            clock=SystemClock(),
        )
    return log


def test_the_same_seed_trains_the_same_model(tmp_path: Path) -> None:
    train = rows("one two", "two three", "three one", label="a") + rows("four five", "five six", "six four", label="b")
    first, second = (
        [line["train_loss"] for line in trained(train, tmp_path, seed=5) if line["event"] == "epoch"] for _ in range(2)
    )

    assert first == second
    assert first != [line["train_loss"] for line in trained(train, tmp_path, seed=6) if line["event"] == "epoch"]


def test_all_texts_alike_still_train_without_a_number_that_is_none(tmp_path: Path) -> None:
    log = trained(rows(*["same"] * 6, label="a") + rows(*["same"] * 6, label="b"), tmp_path)

    assert all(np.isfinite(line["train_loss"]) for line in log if line["event"] == "epoch")


def test_a_label_without_a_training_row_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no training row for: b"):
        trained(rows("one", "two", label="a"), tmp_path)


def test_a_loss_that_is_no_number_stops_training(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the loss is not a number"):
        trained([*rows("one", "two", label="a"), Example("heavy", "six", ("b",), weight=1e39)], tmp_path)

    kept = json.loads((tmp_path / "bad_batch.json").read_text())
    assert kept["step"] == 1
    assert {row["id"]: row["loss"] for row in kept["rows"]}["heavy"] == "inf"


def test_the_step_log_is_json_lines(tmp_path: Path) -> None:
    trained(rows("one", "two", label="a") + rows("six", label="b"), tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()]

    assert [line["event"] for line in lines] == ["epoch", "step", "epoch"]  # three rows are one step an epoch
    assert lines[1]["step"] == lines[1]["steps"] == 2


def test_epochs_of_fewer_rows_than_are_held_share_a_look_at_them(tmp_path: Path) -> None:
    train = rows("one", "two", label="a") + rows("six", label="b")
    held = [replace(row, id=f"{row.id}-{i}") for i in range(4) for row in train]
    log = trained(train, tmp_path, held, epochs=9)
    looks = ["val_acc" in line for line in log if line["event"] == "epoch"]

    assert looks == [False, False, False, True, False, False, False, True, True]  # the last one always


@pytest.mark.parametrize(("rate", "warned"), [(1e-3, False), (0.03, True)])
def test_a_rate_far_too_high_is_warned_of_by_its_clipped_gradients(tmp_path: Path, rate: float, warned: bool) -> None:
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    train = [row for label, at in (("a", 0), ("b", 5)) for row in rows(*words[at : at + 5] * 8, label=label)]
    log = trained(train, tmp_path, epochs=10, learning_rate=rate, rdrop=0.0)
    said = {line["code"]: line["decision"] for line in log if line["event"] == "warning"}

    assert ("gradient.clipped" in said) == warned, said
    assert not warned or "lower the learning rate" in said["gradient.clipped"]


def test_attention_that_is_even_has_all_of_its_entropy_and_one_that_is_not_has_less() -> None:
    from interlock.core.dataset import Dataset
    from interlock.train.attention import attention_entropy
    from interlock.train.encoders import load
    from interlock.train.rows import encode_rows

    labels = ["a", "b"]
    model, tokenizer = load(resolve("tiny"), labels, ["one two three", "four"])
    data = Dataset(tuple(rows("one two three", "four", label="a")))
    read = encode_rows(data, tokenizer, labels, InputPolicy())
    query = model.base_model.encoder.layer[0].attention.self.query
    with torch.no_grad():
        query.weight.zero_()
        query.bias.zero_()
    assert attention_entropy(model, read, pad_id=tokenizer.pad_token_id)["0"] == pytest.approx(1.0, abs=1e-6)
    with torch.no_grad():
        query.weight.normal_(std=50.0)
    found = attention_entropy(model, read, pad_id=tokenizer.pad_token_id)
    assert 0 <= found["0"] < 0.9
    assert list(found) == [str(number) for number in range(model.config.num_hidden_layers)]
