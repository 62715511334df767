"""The graph that serves: the same function as the torch model, the same bits each time, close in eight bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.bundle.weights import check_weights
from interlock.core.contract import InputPolicy
from interlock.core.dataset import Dataset, Example
from interlock.predict.encoder import FEATURES, LOGITS
from interlock.train.compact import _Graph, _spread, compact, writable
from interlock.train.encoders import resolve
from interlock.train.export import export, quantize
from interlock.train.fit import Fitted
from interlock.train.mean_pooling import MeanPooled
from interlock.train.recipe import Recipe

SIZES: dict[str, Any] = {"vocab_size": 40, "num_labels": 5}
BERT: dict[str, Any] = {
    **SIZES,
    "hidden_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 200,
}
WORDS = [chr(ord("a") + letter) for letter in range(26)]


def bert(**changes: Any) -> Any:
    return transformers.BertForSequenceClassification(transformers.BertConfig(**{**BERT, **changes}))


def distilbert(**changes: Any) -> Any:
    sizes = {"dim": 96, "n_layers": 2, "n_heads": 4, "hidden_dim": 200}
    return transformers.DistilBertForSequenceClassification(
        transformers.DistilBertConfig(**{**SIZES, **sizes, **changes})
    )


def electra() -> Any:
    return transformers.ElectraForSequenceClassification(transformers.ElectraConfig(**BERT, embedding_size=96))


MODELS = {"bert": bert, "distilbert": distilbert, "mean pooled": lambda: MeanPooled(bert()), "another family": electra}


def wild(name: str) -> Any:
    """Return a model with weights as uneven as those of trained models: some channels reach far further than others."""
    torch.manual_seed(3)
    model = MODELS[name]().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(torch.exp(torch.randn(parameter.shape[-1]))).add_(0.02 * torch.randn_like(parameter))
    return model


def fitted(model: Any, tokenizer: Any) -> Fitted:
    return Fitted(model, tokenizer, ("a", "b", "c", "d", "e"), Recipe(), resolve("tiny"), {})


@pytest.fixture
def tokenizer() -> Any:
    import tokenizers

    words = tokenizers.models.WordLevel({word: 5 + i for i, word in enumerate(WORDS)} | {"?": 1}, unk_token="?")  # noqa: S106 - a token of text
    made = tokenizers.Tokenizer(words)
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, unk_token="?", pad_token="?")  # noqa: S106 - same


ROWS = Dataset(tuple(Example(str(i), " ".join(WORDS[i % 7 : 12 + i % 11]), ("abcde"[i % 5],)) for i in range(40)))


def run(graph: bytes, ids: torch.Tensor) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    feed = {"input_ids": ids.numpy()}
    if len(session.get_inputs()) > 1:
        feed["attention_mask"] = np.ones_like(feed["input_ids"])
    logits, features = session.run([LOGITS, FEATURES], feed)
    return logits, features


@pytest.mark.parametrize("name", ["bert", "distilbert", "mean pooled"])
@pytest.mark.parametrize("tokens", [1, 2, 17, 512])
def test_a_written_graph_is_the_same_function(name: str, tokens: int) -> None:
    model = wild(name)
    ids = torch.randint(0, 40, (2, tokens))
    with torch.inference_mode():
        expected = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.numpy()

    logits, features = run(compact(model).SerializeToString(), ids)

    head = (model.base if isinstance(model, MeanPooled) else model).classifier
    with torch.inference_mode():
        assert logits == pytest.approx(expected, rel=1e-3, abs=1e-3)
        assert head(torch.from_numpy(features)).numpy() == pytest.approx(logits, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("name", MODELS)
def test_int8_is_close_repeats_its_bits_and_may_be_opened(name: str, tokenizer: Any, tmp_path: Path) -> None:
    made = fitted(wild(name), tokenizer)
    export(made, tmp_path / "whole.onnx")
    for target in ("one.onnx", "two.onnx"):
        quantize(made, ROWS, InputPolicy(), source=tmp_path / "whole.onnx", target=tmp_path / target)
    small = (tmp_path / "one.onnx").read_bytes()
    check_weights({"model.int8.onnx": small})
    ids = torch.randint(5, 30, (1, 12))
    whole, _ = run((tmp_path / "whole.onnx").read_bytes(), ids)
    near, _ = run(small, ids)

    assert small == (tmp_path / "two.onnx").read_bytes()
    assert np.linalg.norm(near - whole) <= 0.05 * np.linalg.norm(whole)


@pytest.mark.parametrize("name", MODELS)
def test_a_graph_says_nothing_of_the_machine_that_wrote_it(name: str, tokenizer: Any, tmp_path: Path) -> None:
    made = fitted(wild(name), tokenizer)
    export(made, tmp_path / "whole.onnx")
    quantize(made, ROWS, InputPolicy(), source=tmp_path / "whole.onnx", target=tmp_path / "small.onnx")

    for graph in ("whole.onnx", "small.onnx"):
        data = (tmp_path / graph).read_bytes()
        for origin in (b"site-packages", b"stack_trace", b"forward(", bytes(Path(torch.__file__).parent)):
            assert origin not in data


def test_graphs_with_eight_bits_are_a_third_of_the_size(tokenizer: Any, tmp_path: Path) -> None:
    made = fitted(bert(vocab_size=40, hidden_size=384, intermediate_size=1536).eval(), tokenizer)
    export(made, tmp_path / "whole.onnx")
    quantize(made, ROWS, InputPolicy(), source=tmp_path / "whole.onnx", target=tmp_path / "small.onnx")

    assert 3 * (tmp_path / "small.onnx").stat().st_size < (tmp_path / "whole.onnx").stat().st_size


OTHERS = {
    "another activation": lambda: bert(hidden_act="relu"),
    "a decoder": lambda: bert(is_decoder=True),
    "another family": electra,
}


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_what_is_not_known_to_be_the_same_function_is_not_written_anew(make: Any) -> None:
    assert not writable(make())


@settings(max_examples=25)
@given(st.lists(st.floats(0, 1e6), min_size=8, max_size=8))
def test_inputs_are_divided_by_powers_of_two_that_follow_their_reach(reach: list[float]) -> None:
    linear = torch.nn.Linear(8, 3)
    spread = _spread(_Graph({linear: torch.tensor(reach)}), linear)

    assert np.all(np.isfinite(spread) & (spread > 0))
    assert np.array_equal(np.exp2(np.rint(np.log2(spread))), spread)
    assert np.all(np.diff(spread[np.argsort(reach)]) >= 0)
