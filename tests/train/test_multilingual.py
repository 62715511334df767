"""An encoder of another family, with a tokenizer that needs no spaces, is one option away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from interlock.build import build
from interlock.bundle.open import open_bundle
from interlock.train.recipe import Recipe

SAID = {
    "track": ["where is my order {}", "注文 {} はどこですか", "track my parcel {} please", "荷物 {} はまだですか"],
    "refund": ["i want a refund for {}", "返金してください {}", "give me my money back for {}", "{} を返品したいです"],
    "hello": ["hello {}", "こんにちは {}", "good morning {}", "おはよう {}"],
}
CONTRACT = """
contract: 1
name: shop
label_version: shop-v1
labels: {track: {route: tracking}, refund: {route: refunds}, hello: {route: smalltalk}}
"""
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
UNKNOWN = {"unk_token": "<unk>"}
NAMES = {
    **UNKNOWN,
    "bos_token": "<s>",
    "cls_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "mask_token": "<mask>",
}


def encoder(folder: Path, texts: list[str]) -> Path:
    """Write a tiny XLM-R with a SentencePiece vocabulary of ``texts``."""
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    made.train_from_iterator(
        texts,
        trainers.UnigramTrainer(vocab_size=300, special_tokens=SPECIAL, show_progress=False, **UNKNOWN),
    )
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[(name, made.token_to_id(name)) for name in ("<s>", "</s>")]
    )
    transformers.PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=128, **NAMES).save_pretrained(folder)
    torch.manual_seed(0)
    transformers.XLMRobertaModel(
        transformers.XLMRobertaConfig(
            vocab_size=made.get_vocab_size(),
            hidden_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=128,
            max_position_embeddings=130,
            type_vocab_size=1,
            pad_token_id=1,
        )
    ).save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_a_router_is_built_on_a_multilingual_encoder_given_as_a_folder(tmp_path: Path) -> None:
    rows = [
        {"id": f"{label}-{number}", "text": said[number % len(said)].format(f"no{number}"), "label": label}
        for label, said in SAID.items()
        for number in range(120)
    ]
    (tmp_path / "contract.yaml").write_text(CONTRACT, encoding="utf-8")
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    built = build(
        contract=tmp_path / "contract.yaml",
        data=tmp_path / "rows.jsonl",
        out=tmp_path / "run",
        encoder=str(encoder(tmp_path / "encoder", [row["text"] for row in rows])),
        recipe=Recipe(epochs=12, batch_size=16, learning_rate=1e-3, rdrop=0.0),
    )

    router = open_bundle(built.run / "bundle")
    learnt = json.loads((built.run / "split.json").read_text(encoding="utf-8"))["parts"]["train"]
    wanted = {row["id"]: row for row in rows if row["id"] in set(learnt)}
    # Held rows are of phrases no training row has; what was learnt shows whether serving cuts texts as training did.
    found = [router.decide(row["text"]).label == row["label"] for row in wanted.values()]
    assert sum(found) / len(found) > 0.95
    assert any("文" in row["text"] for row in wanted.values())
