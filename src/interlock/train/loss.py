"""What training minimises. Knows logits, features and target shares, nothing of models."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention

CONTRAST_TEMPERATURE = 0.1
FAR = -1e9  # a similarity that no softmax sees


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


def brier_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return each row's squared error of its probabilities, summed over labels (Brier 1950), 0-2."""
    return (torch.softmax(logits.float(), dim=-1) - targets).square().sum(dim=-1)


def divergence(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Return each row's symmetric KL divergence of two passes' logits, (n,), in nats (R-Drop; Liang et al. 2021)."""
    p, q = F.log_softmax(one.float(), dim=-1), F.log_softmax(other.float(), dim=-1)
    return 0.5 * ((p.exp() - q.exp()) * (p - q)).sum(dim=-1)


def contrastive_loss(features: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return each row's supervised contrastive loss (Khosla et al. 2020): near rows of its label, far from others.

    Args:
        features: (n rows, d).
        labels: (n,) label columns. A row alone with its label has loss 0.
    """
    unit = F.normalize(features.float(), dim=1)
    itself = torch.eye(len(unit), dtype=torch.bool)
    similarity = (unit @ unit.T / CONTRAST_TEMPERATURE).masked_fill(itself, FAR)
    log_p = similarity - torch.logsumexp(similarity, dim=1, keepdim=True)
    alike = (labels[:, None] == labels[None]) & ~itself
    return -(log_p * alike).sum(dim=1) / alike.sum(dim=1).clamp_min(1)
