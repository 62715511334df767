"""How evenly an encoder attends, layer by layer: for the step log. Changes nothing."""

from __future__ import annotations

from typing import Any

import torch

from interlock.train.batches import pad
from interlock.train.rows import Rows

ROWS = 32  # looked at: a mean over thousands of tokens, heads and rows


def attention_entropy(model: Any, rows: Rows, *, pad_id: int) -> dict[str, float]:
    """Return for each layer the mean entropy of its attention over that of even attention.

    0 where every token attends to one token alone, 1 where it attends to all alike; a layer whose figure falls to 0
    early in training has collapsed (Zhai et al. 2023, "Stabilizing Transformer Training by Preventing Attention Entropy
    Collapse").

    Args:
        model: as trained; left in evaluation mode.
        rows: the first ones with two tokens or more are looked at.
        pad_id: of the tokenizer.

    Returns:
        Layer number, as text -> 0 to 1; without frozen layers that were looked up. Empty for an encoder that does not
        give its attention away.
    """
    chosen = [ids for ids in rows.ids if len(ids) > 1][:ROWS]
    inner: Any = getattr(getattr(model, "base", model), "base_model", None)
    if not chosen or not hasattr(inner, "set_attn_implementation"):
        return {}
    ids, mask = pad(chosen, pad_id)
    usual = inner.config._attn_implementation  # noqa: SLF001 - transformers has no other name for it
    model.eval()
    try:
        inner.set_attn_implementation("eager")  # the fused kernels keep no weights
        with torch.inference_mode():
            model(input_ids=ids, attention_mask=mask)  # so that frozen layers look up these rows, not the last batch
            layers = inner(input_ids=ids, attention_mask=mask, output_attentions=True).attentions or ()
    finally:
        inner.set_attn_implementation(usual)
    real = mask.bool()
    even = mask.sum(dim=1).double().log()[:, None].expand_as(real)[real]
    return {
        str(number): float((torch.special.entr(layer.double()).sum(dim=-1).mean(dim=1)[real] / even).mean())
        for number, layer in enumerate(layers, start=inner.config.num_hidden_layers - len(layers))
    }
