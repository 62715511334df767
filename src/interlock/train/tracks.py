"""What of an encoder learns: everything, its upper layers, low-rank additions, or the head alone. Knows no loop.

A model on its track is trained like any other; ``finished`` turns it back into a plain one, so that nothing that is
saved or served knows how it was trained.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from interlock.core.errors import InputError, Problem, require
from interlock.train.batches import pad, scoring_batches
from interlock.train.loop import Task
from interlock.train.model import (
    features_of,
    last_linear,
    logits_of,
    native_bfloat16,
    recompute_activations,
    reduced_precision,
)
from interlock.train.recipe import Recipe
from interlock.train.rows import Rows

HEAD_STRENGTH = 10.0  # of the head's regression: the inverse of its penalty


def put_on_track(model: Any, recipe: Recipe, rows: Rows, *, pad_id: int) -> None:
    """Freeze what the recipe's track does not train, and add what it trains beside.

    Raises:
        InputError: the encoder has no such layers, or peft is not installed.
    """
    if recipe.track == "partial":
        _freeze_below(model, recipe.frozen_layers, rows, pad_id=pad_id)
    elif recipe.track == "lora":
        _add_low_rank(model, recipe.lora_rank)


def finished(model: Any) -> Any:
    """Return the trained model as a plain one: low-rank additions added in, frozen layers back in their place."""
    for name, module in list(model.named_modules()):
        if isinstance(module, torch.nn.ModuleList) and len(module) and isinstance(module[0], _Frozen):
            model.set_submodule(name, torch.nn.ModuleList([*module[0].layers, *module[1:]]))
        elif hasattr(module, "get_base_layer") and hasattr(module, "merge"):
            module.merge()
            model.set_submodule(name, module.get_base_layer())
    recompute_activations(model, wanted=False)
    model._forward_pre_hooks.clear()  # noqa: SLF001 - the look-up of frozen layers; models have no others
    model._forward_pre_hooks_with_kwargs.clear()  # noqa: SLF001 - same
    return model.requires_grad_(True)  # noqa: FBT003 - torch's own signature


def fit_head(task: Task, *, seed: int) -> None:
    """Fit the head alone: a logistic regression on the frozen encoder's features, by scikit-learn.

    A row with several labels counts once for each, by its share.
    """
    from sklearn.linear_model import LogisticRegression

    model, rows, weights = task.model, task.rows, task.weights
    head = last_linear(model)
    features = torch.zeros(len(rows.ids), head.in_features)
    with features_of(head) as seen:
        for batch, _ in logits_of(model, rows, task.pad_id):
            features[batch] = seen[-1].float()
    row, label = rows.targets.nonzero(as_tuple=True)
    center, spread = features.mean(dim=0), features.std(dim=0).clamp_min(1e-6)
    fitted = LogisticRegression(C=HEAD_STRENGTH, max_iter=2000, random_state=seed).fit(
        ((features - center) / spread)[row].numpy(),
        label.numpy(),
        sample_weight=(rows.targets[row, label] * weights[label] * rows.weights[row]).numpy(),
    )
    found, bias = np.atleast_2d(fitted.coef_), np.atleast_1d(fitted.intercept_)
    if len(found) == 1:  # two labels are one column to scikit-learn
        found, bias = np.vstack([-found / 2, found / 2]), np.array([-bias[0] / 2, bias[0] / 2])
    with torch.no_grad():
        scaled = torch.from_numpy(found).float() / spread
        head.weight.copy_(scaled)
        head.bias.copy_(torch.from_numpy(bias).float() - scaled @ center)


class _Frozen(torch.nn.Module):
    """The lower layers as one, which never learn: what they gave for the training rows is remembered, not computed."""

    def __init__(self, layers: list[torch.nn.Module]) -> None:
        super().__init__()
        self.layers = torch.nn.ModuleList(layers)
        self.remembered: dict[bytes, torch.Tensor] = {}  # token ids -> (tokens, width)
        self.batch: torch.Tensor | None = None  # (rows, padded tokens, width), when all of its rows are remembered

    def train(self, mode: bool = True) -> _Frozen:  # noqa: ARG002 - torch's own signature
        """Stay in evaluation: nothing is dropped below what learns."""
        return super().train(mode=False)

    def look_up(self, _model: Any, _given: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Find the rows of a batch before the model sees it."""
        lengths = named["attention_mask"].sum(dim=1).tolist()
        rows = [self.remembered.get(_key(ids[:n])) for ids, n in zip(named["input_ids"], lengths, strict=True)]
        found = [row for row in rows if row is not None]
        padded = torch.nn.utils.rnn.pad_sequence(found, batch_first=True) if len(found) == len(rows) else None
        if padded is not None:
            padded = torch.nn.functional.pad(padded, (0, 0, 0, named["input_ids"].shape[1] - padded.shape[1]))
        self.batch = padded

    def forward(self, hidden: torch.Tensor, *given: Any, **named: Any) -> torch.Tensor:
        """Return the states above the frozen layers."""
        if self.batch is not None:
            return self.batch.to(hidden.dtype)
        with torch.no_grad():
            for layer in self.layers:
                hidden = layer(hidden, *given, **named)
        return hidden


def _freeze_below(model: Any, count: int, rows: Rows, *, pad_id: int) -> None:
    """Freeze the embeddings and the ``count`` lowest layers, and remember what they give for every training row."""
    name, layers = _layers(model)
    if not 1 <= count < len(layers):
        raise InputError(
            "the partial track freezes some layers and trains some",
            [Problem("recipe", "frozen_layers", f"1 to {len(layers) - 1} for this encoder", str(count))],
        )
    for parameter_name, parameter in model.named_parameters():
        parameter.requires_grad_("embed" not in parameter_name)
    frozen = _Frozen(list(layers[:count]))
    frozen.requires_grad_(False)  # noqa: FBT003 - torch's own signature
    model.set_submodule(name, torch.nn.ModuleList([frozen, *layers[count:]]))
    _remember(model, frozen, rows, pad_id=pad_id)
    model.register_forward_pre_hook(frozen.look_up, with_kwargs=True)


def _remember(model: Any, frozen: _Frozen, rows: Rows, *, pad_id: int) -> None:
    seen: list[torch.Tensor] = []
    hook = frozen.register_forward_hook(lambda _module, _given, states: seen.append(states))
    kept = torch.bfloat16 if native_bfloat16() else torch.float32
    model.eval()
    with torch.inference_mode(), reduced_precision():
        for batch in scoring_batches([len(ids) for ids in rows.ids]):
            ids, mask = pad([rows.ids[row] for row in batch], pad_id)
            model(input_ids=ids, attention_mask=mask)
            for states, row_ids, n in zip(seen.pop(), ids, mask.sum(dim=1).tolist(), strict=True):
                frozen.remembered[_key(row_ids[:n])] = states[:n].to(kept).clone()
    hook.remove()


def _key(ids: torch.Tensor) -> bytes:
    return ids.numpy().tobytes()


def _layers(model: Any) -> tuple[str, torch.nn.ModuleList]:
    """Return the name and the list of the encoder's layers, bottom first: the longest list of modules of one class."""
    found = [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.ModuleList) and len({type(layer) for layer in module}) == 1
    ]
    if not found:
        raise InputError(f"{type(model).__name__} has no list of layers", todo="Choose the track full or head.")
    return max(found, key=lambda pair: len(pair[1]))


def _add_low_rank(model: Any, rank: int) -> None:
    """Freeze everything but the head and add a trainable product of two thin matrices to every linear layer.

    LoRA (Hu et al. 2022), by peft, scaled by 2.
    """
    require("The track lora", extra="train", modules=["peft"])
    import peft

    head, (layers, _) = last_linear(model), _layers(model)
    names = [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and name.startswith(layers) and module is not head
    ]
    model.requires_grad_(False)  # noqa: FBT003 - torch's own signature
    peft.inject_adapter_in_model(peft.LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=names), model)
    last_linear(model).requires_grad_(True)  # noqa: FBT003 - torch's own signature
