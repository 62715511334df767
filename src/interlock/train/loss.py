"""What training minimises. Knows logits and target shares, nothing of models."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention


def focal_loss(
    logits: torch.Tensor, targets: torch.Tensor, *, weights: torch.Tensor, gamma: float, smoothing: float = 0.0
) -> torch.Tensor:
    """Return the class-weighted focal loss of every row (Lin et al. 2017): -sum_c t_c w_c (1 - p_c)^gamma log p_c.

    Args:
        logits: (n rows, k labels).
        targets: (n, k), rows sum to 1; one-hot for a row with one label, equal shares for several.
        weights: (k,) class weights.
        gamma: focusing; 0 gives weighted cross-entropy.
        smoothing: share of each target spread evenly over all labels.
    """
    log_p = F.log_softmax(logits.float(), dim=-1)
    focus = (1 - log_p.exp()) ** gamma if gamma else torch.ones_like(log_p)
    smooth = (1 - smoothing) * targets + smoothing / targets.shape[-1]
    return -(smooth * weights * focus * log_p).sum(dim=-1)
