"""A fine-tuned encoder on ONNX Runtime: tokenizer.json and one self-contained graph. Knows nothing of torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from interlock.core.errors import RefusedError
from interlock.predict.normalise import NormalText
from interlock.predict.scorer import Encoded, Scores
from interlock.predict.words import whole_words

LOGITS, FEATURES = "logits", "features"  # names of the graph's outputs


class OnnxEncoder:
    """One inference thread over one graph; two threads are slower than one whenever the other core is busy."""

    def __init__(self, *, graph: bytes, tokenizer: bytes, labels: int, max_tokens: int) -> None:
        """Load a graph and its tokenizer from their bytes.

        Args:
            graph: an ONNX model without external data.
            tokenizer: a ``tokenizer.json``.
            labels: how many columns the logits must have.
            max_tokens: tokens kept of each text.

        Raises:
            RefusedError: the bytes are not a model and tokenizer of this shape.
        """
        try:
            self._session = onnxruntime.InferenceSession(
                graph,
                _options(),
                providers=["CPUExecutionProvider"],
                enable_fallback=0,  # it would print, and try again
            )
            self._tokenizer = Tokenizer.from_buffer(tokenizer)
            outputs = {output.name: output.shape for output in self._session.get_outputs()}
            self._wants = {given.name for given in self._session.get_inputs()}
            self._tokenizer.no_padding()
            self._tokenizer.no_truncation()
            self._tokenizer.encode_special_tokens = True  # "[SEP]" in a message is what it shows, no end of a text
            self._tail = 1 if self._ends_with_special() else 0
        except Exception as error:
            raise RefusedError(f"the model or tokenizer does not load: {error}") from error
        if outputs.get(LOGITS, [])[-1:] != [labels]:
            raise RefusedError(f"the graph must give '{LOGITS}' of shape (batch, {labels}), it gives {outputs}")
        self._outputs = [name for name in (LOGITS, FEATURES) if name in outputs]
        self._max_tokens = max_tokens

    def encode(self, text: NormalText, *, with_pieces: bool = False) -> Encoded:
        """Tokenize one text; a cut keeps the closing special token."""
        encoding = self._tokenizer.encode(text)
        ids, tokens = encoding.ids, len(encoding.ids)
        if tokens > self._max_tokens:
            ids = ids[: self._max_tokens - self._tail] + ids[tokens - self._tail :]
        return Encoded(ids, tokens, tuple(encoding.tokens) if with_pieces else ())

    def classify(self, encoded: Encoded) -> Scores:
        """Run the graph on one encoded text."""
        ids = np.array([encoded.ids], dtype=np.int64)
        feed = {"input_ids": ids}
        if "attention_mask" in self._wants:
            feed["attention_mask"] = np.ones_like(ids)
        if "token_type_ids" in self._wants:
            feed["token_type_ids"] = np.zeros_like(ids)
        found: list[Any] = self._session.run(self._outputs, feed)
        return Scores(found[0][0], found[1][0] if len(found) > 1 else None)

    def whole_words(self) -> dict[str, int]:
        """Return the words the tokenizer keeps whole, and their places, the commonest first."""
        return whole_words(self._tokenizer.get_vocab())

    def _ends_with_special(self) -> bool:
        return bool(self._tokenizer.encode("a").special_tokens_mask[-1])


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors only; its warnings go straight to stderr
    return options
