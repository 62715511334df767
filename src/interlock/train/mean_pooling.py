"""A BERT classifier over the mean of its tokens, that saves as a standard BERT. Knows no data.

Sentence encoders such as MiniLM were pretrained so that the *mean* of their token vectors is the sentence; the standard
classification head reads the first token instead, and starts half a step behind. A mean is what one more attention
layer gives when it attends to every token alike, so the model trained here (cheaply, without that layer) and the
standard model with one more layer that it is saved as compute the same function.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention

WEIGHT = 64.0  # of the mean beside the first token in the residual sum: large, so that the sum is the mean
SCALE = 0.1  # into the pooler's tanh: small, so that it is nearly linear over a normalised vector
EPSILON = 1e-12  # of BERT's layer norms


class MeanPooled(torch.nn.Module):
    """Wraps a BERT for sequence classification; the forward pass reads the mean instead of the first token."""

    def __init__(self, base: Any) -> None:
        """Wrap ``base``, whose own pooler is left unused."""
        super().__init__()
        self.base = base
        self.base.bert.pooler = None
        self.config = base.config

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
        """Return an object with ``logits`` of shape (batch, k labels)."""
        hidden = self.base.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state.float()
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * mask).sum(dim=1) / mask.sum(dim=1)
        normal = F.layer_norm(hidden[:, 0] + WEIGHT * mean, hidden.shape[-1:], eps=EPSILON)
        return SimpleNamespace(logits=self.base.classifier(self.base.dropout(torch.tanh(SCALE * normal))))

    def standard(self) -> Any:
        """Return the equal standard model: the encoder's layers, and one that attends to every token alike."""
        import transformers

        config = type(self.config).from_dict(
            {**self.config.to_dict(), "num_hidden_layers": self.config.num_hidden_layers + 1}
        )
        full = transformers.BertForSequenceClassification(config)
        full.load_state_dict(self.base.state_dict(), strict=False)
        layer = full.bert.encoder.layer[-1]
        identity = torch.eye(config.hidden_size)
        with torch.no_grad():
            for linear, weight in (
                (layer.attention.self.query, torch.zeros_like(identity)),
                (layer.attention.self.key, torch.zeros_like(identity)),
                (layer.attention.self.value, identity),
                (layer.attention.output.dense, WEIGHT * identity),
                (layer.output.dense, torch.zeros_like(layer.output.dense.weight)),
                (full.bert.pooler.dense, SCALE * identity),
            ):
                linear.weight.copy_(weight)
                linear.bias.zero_()
        return full.eval()


def mean_pooled_again(model: Any) -> MeanPooled | None:
    """Return the model that ``standard`` saved as ``model``, or None where it is no such model."""
    if type(model).__name__ != "BertForSequenceClassification":
        return None
    last = model.bert.encoder.layer[-1]
    identity = torch.eye(model.config.hidden_size)
    if last.attention.self.query.weight.any() or not torch.equal(last.attention.self.value.weight, identity):
        return None
    del model.bert.encoder.layer[-1]
    model.config.num_hidden_layers -= 1
    return MeanPooled(model).eval()


def wants_mean_pooling(source: str, model: Any) -> bool:
    """Whether the encoder at ``source`` is a BERT that was pretrained on the mean of its tokens."""
    import json
    from pathlib import Path

    from transformers.utils import cached_file

    if model.config.model_type != "bert" or type(model).__name__ != "BertForSequenceClassification":
        return False
    try:
        found = cached_file(source, "1_Pooling/config.json", _raise_exceptions_for_missing_entries=False)
    except OSError:
        return False
    return bool(found and json.loads(Path(found).read_bytes()).get("pooling_mode_mean_tokens"))
