"""The torch model around an encoder: its head, its layers, its precision. Knows no data files and no loop."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch

from interlock.core.errors import InputError
from interlock.train.batches import pad, scoring_batches
from interlock.train.recipe import Recipe
from interlock.train.rows import Rows
from interlock.train.weights import layer_rate

DEFAULT_RATE = 2e-4  # when neither the recipe nor the encoder names one
SMALL = 2_000_000  # parameters
HEAD_SCALE = 16.0  # how far apart the logits start when the head starts at the class centroids
_LAYER = re.compile(r"\blayers?\.(\d+)\.")  # the layer number in a parameter's name, in every encoder family


def reduced_precision() -> AbstractContextManager[Any]:
    """Return a bfloat16 autocast where the processor multiplies bfloat16 natively, else nothing."""
    return torch.autocast("cpu", torch.bfloat16) if native_bfloat16() else nullcontext()


@contextmanager
def fitting_threads(model: Any) -> Iterator[None]:
    """Use one thread for a small model while the context is open: a second would only wait for the first."""
    before = torch.get_num_threads()
    if sum(parameter.numel() for parameter in model.parameters()) < SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def native_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 natively."""
    found: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()  # newer than the oldest torch we allow
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


def recompute_activations(model: Any, *, wanted: bool = True) -> None:
    """Keep the activations at layer borders only and compute the others again on the way back (Chen et al. 2016).

    torch repeats its own dropout masks then, so the model keeps torch's dropout layers.
    """
    inner = getattr(model, "base", model)
    kind = "activation" if hasattr(inner, "activation_checkpointing_enable") else "gradient"  # renamed in 5.23
    if wanted:
        getattr(inner, f"{kind}_checkpointing_enable")()
    elif getattr(inner, f"is_{kind}_checkpointing"):
        getattr(inner, f"{kind}_checkpointing_disable")()


def start_at_centroids(model: Any, rows: Rows, *, pad_id: int) -> None:
    """Point each class's head vector at the mean of its rows' features, as the encoder gives them before any training.

    A random head spends the first steps pushing noise into the encoder; this one starts at nearest-centroid accuracy.
    """
    head = last_linear(model)
    features = torch.zeros(len(rows.ids), head.in_features)
    with features_of(head) as seen:
        for batch, _ in logits_of(model, rows, pad_id):
            features[batch] = seen[-1].float()
    center = features.mean(dim=0)
    spread = features - center
    share = rows.targets / rows.targets.sum(dim=0, keepdim=True).clamp_min(1e-9)
    centroids = torch.nn.functional.normalize(share.T @ spread, dim=1) * (HEAD_SCALE / spread.norm(dim=1).mean())
    with torch.no_grad():
        head.weight.copy_(centroids)
        if head.bias is not None:
            head.bias.copy_(-centroids @ center)


def logits_of(model: Any, rows: Rows, pad_id: int) -> Iterator[tuple[list[int], torch.Tensor]]:
    """Yield row numbers and their logits (len(batch), k labels), shortest rows first, without training anything."""
    model.eval()
    with torch.inference_mode(), reduced_precision():
        for batch in scoring_batches([len(ids) for ids in rows.ids]):
            ids, mask = pad([rows.ids[row] for row in batch], pad_id)
            yield batch, model(input_ids=ids, attention_mask=mask).logits.float()


def last_linear(model: Any) -> torch.nn.Linear:
    """Return the layer that makes the logits: the last linear one with a row per label."""
    found = [
        module
        for module in model.modules()
        if isinstance(module, torch.nn.Linear) and module.out_features == model.config.num_labels
    ]
    if not found:
        raise InputError(f"{type(model).__name__} has no linear layer that gives {model.config.num_labels} logits")
    return found[-1]


@contextmanager
def features_of(head: torch.nn.Linear, *, keep_graph: bool = False) -> Iterator[list[torch.Tensor]]:
    """Collect what ``head`` is given while the context is open; only the newest batch is kept.

    With ``keep_graph`` a loss on the features reaches the encoder.
    """
    seen: list[torch.Tensor] = []

    def keep(_module: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        seen[:] = [given[0] if keep_graph else given[0].detach()]

    hook = head.register_forward_pre_hook(keep)
    try:
        yield seen
    finally:
        hook.remove()


def parameter_groups(model: Any, recipe: Recipe) -> list[dict[str, Any]]:
    """Return one optimiser group per trainable parameter: its layer, its layer's rate, and decay for matrices only."""
    depth = 1 + max(
        (int(found[1]) for name, _ in model.named_parameters() if (found := _LAYER.search(name))), default=-1
    )
    peak = recipe.learning_rate or DEFAULT_RATE
    groups = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        found = _LAYER.search(name)
        below = depth - 1 - int(found[1]) if found else depth if "embed" in name else 0
        rate = layer_rate(peak, recipe.layer_decay, below)
        decay = recipe.weight_decay if parameter.ndim > 1 else 0.0
        layer = found[1] if found else "embeddings" if "embed" in name else "head"
        groups.append({"params": [parameter], "lr": rate, "peak": rate, "weight_decay": decay, "layer": layer})
    return groups
