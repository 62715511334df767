"""Words that join a vocabulary: which, with what vectors, and that everything that serves knows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tokenizers
import torch
from tokenizers import models, normalizers, pre_tokenizers

from interlock.core.clock import SystemClock
from interlock.core.contract import InputPolicy
from interlock.core.dataset import CalibrationSet, Example, TrainSet
from interlock.predict.encoder import OnnxEncoder
from interlock.predict.normalise import NormalText
from interlock.train.encoders import load, resolve
from interlock.train.export import export, quantize
from interlock.train.fit import fit
from interlock.train.recipe import Recipe
from interlock.train.step_log import StepLog
from interlock.train.vocabulary import extend, jargon, unspaced, words

PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "order",
    "my",
    "ki",
    "##met",
    "##su",
    "##ya",
    "k",
    "##a",
    "マ",
    "##ン",
    "を",
]


@pytest.fixture
def english() -> tuple[Any, Any]:
    """A model and a tokenizer of word pieces that knows little."""
    import transformers

    inner = tokenizers.Tokenizer(models.WordPiece({piece: at for at, piece in enumerate(PIECES)}, unk_token="[UNK]"))  # noqa: S106
    inner.normalizer, inner.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="[UNK]", pad_token="[PAD]")  # noqa: S106
    config = transformers.BertConfig(
        vocab_size=len(PIECES), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    torch.manual_seed(0)
    return transformers.BertForSequenceClassification(config), tokenizer


TEXTS = [*["order my Kimetsu"] * 4, *["KIMETSU 注文 マンガを"] * 3, *["naruto 12345678"] * 3, "order my kimetsuya"]


def test_words_are_runs_of_letters_and_of_one_script_where_none_are_spaced() -> None:
    assert list(words("I'd pre-order naruto72 in 2024")) == ["I", "d", "pre", "order", "naruto72", "in"]
    assert list(words("注文をキャンセルしたい。ポケモンX")) == ["注文", "を", "キャンセル", "したい", "ポケモン", "X"]
    assert list(words("café naïve " + "x" * 41)) == ["café", "naïve"]
    assert list(words("!? 123 🎸")) == []
    assert [unspaced(word) for word in ("注文", "マンガ", "order", "заказ")] == [True, True, False, False]


def test_the_most_frequent_words_in_many_pieces_or_unknown_join(english: tuple[Any, Any]) -> None:
    _, tokenizer = english

    assert tokenizer.tokenize("kimetsu") == ["ki", "##met", "##su"]
    assert jargon(tokenizer, TEXTS, most=9) == ["Kimetsu", "naruto", "マンガ", "注文"]  # 7 times, then 3, in order
    assert jargon(tokenizer, TEXTS, most=1) == ["Kimetsu"]
    assert jargon(tokenizer, TEXTS[-1:], most=9) == []  # once is too rare


def test_a_word_that_joins_is_one_piece_wherever_it_stands_alone(english: tuple[Any, Any]) -> None:
    model, tokenizer = english
    assert extend(model, tokenizer, TEXTS, most=9, policy=InputPolicy()) == 4

    assert len(tokenizer("order my KIMETSU")["input_ids"]) == 3
    assert tokenizer.tokenize("kimetsuya") == ["ki", "##met", "##su", "##ya"]  # another word
    assert len(tokenizer("マンガを注文")["input_ids"]) == 3
    served = tokenizers.Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    for text in (*TEXTS, "マンガを注文", "  kimetsu,Kimetsu!", "kimetsuya"):
        assert served.encode(text).ids == tokenizer(text)["input_ids"]


def test_a_new_vector_is_the_mean_of_its_pieces_and_the_others_stay(english: tuple[Any, Any]) -> None:
    model, tokenizer = english
    before = model.get_input_embeddings().weight.detach().clone()
    extend(model, tokenizer, TEXTS, most=9, policy=InputPolicy())
    after = model.get_input_embeddings().weight.detach()
    at = [PIECES.index(piece) for piece in ("ki", "##met", "##su")]

    assert torch.equal(after[: len(before)], before)
    assert torch.allclose(after[tokenizer.convert_tokens_to_ids("Kimetsu")], before[at].mean(dim=0))
    assert model.config.vocab_size == len(after) == len(PIECES) + 4


def test_nothing_is_added_where_nothing_is_divided_badly(english: tuple[Any, Any]) -> None:
    model, tokenizer = english

    assert extend(model, tokenizer, ["order my"] * 9, most=5, policy=InputPolicy()) == 0
    assert model.config.vocab_size == len(PIECES)


@pytest.mark.slow
def test_what_serves_knows_the_added_words(tmp_path: Path) -> None:
    """The saved directory, both graphs and the tokenizer agree, also for the averaging default encoder."""
    import transformers

    rows = [
        Example(f"{label}{i}", f"{word} を please {i}", (label,)) for label, word in LABELLED.items() for i in range(6)
    ]
    with StepLog(tmp_path / "train.jsonl") as log:
        fitted = fit(
            TrainSet(tuple(rows)),
            CalibrationSet(()),
            labels=list(LABELLED),
            encoder=resolve("minilm"),
            recipe=Recipe(epochs=1, batch_size=8, extend_vocabulary=8),
            policy=InputPolicy(),
            log=log,
            clock=SystemClock(),
        )
    fitted.save(tmp_path / "model")
    export(fitted, tmp_path / "model.onnx")
    quantize(
        *(fitted, TrainSet(tuple(rows)), InputPolicy()),
        source=tmp_path / "model.onnx",
        target=tmp_path / "int8.onnx",
    )
    standard = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    tokenizer = (tmp_path / "model" / "tokenizer.json").read_bytes()
    graphs = [(tmp_path / name).read_bytes() for name in ("model.onnx", "int8.onnx")]
    whole, small = (OnnxEncoder(graph=graph, tokenizer=tokenizer, labels=2, max_tokens=32) for graph in graphs)
    _, plain = load(resolve("minilm"), list(LABELLED), [])

    assert fitted.facts["words_added"] == 3
    for text in ("鬼滅の刃 を please", "返品 を please 3", "hello"):
        encoded = whole.encode(NormalText(text))
        ids = fitted.tokenizer(text, return_tensors="pt")
        assert encoded.ids == ids["input_ids"][0].tolist()
        with torch.inference_mode():
            assert whole.classify(encoded).logits == pytest.approx(standard(**ids).logits[0].numpy(), abs=1e-4)
        assert small.classify(encoded).logits == pytest.approx(whole.classify(encoded).logits, rel=0.2)
    assert len(fitted.tokenizer("返品")["input_ids"]) < len(plain("返品")["input_ids"])


LABELLED = {"search": "鬼滅の刃", "return": "返品"}
