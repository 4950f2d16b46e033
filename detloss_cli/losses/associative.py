"""Associative embedding: the tags of an object's two corners pulled together, those of unlike objects of an image pushed apart."""

from __future__ import annotations

import torch
from torch import Tensor

EPS = 1e-4


def pull(first: Tensor, second: Tensor, image: Tensor, images: int) -> Tensor:
    """((t0 - m)^2 + (t1 - m)^2) / (n + 1e-4), m the mean of both and n the objects of the image: (P,), summed by the trainer.

    Args:
        first, second: (P,) tags of the upper left and lower right corner. image: (P,) int64. images: B.
    Source: arXiv 1808.01244, equation 4; princeton-vl/CornerNet@e5c39a3.
    """
    mean = (first + second) / 2
    count = _per_image(image, images)[image]
    return ((first - mean) ** 2 + (second - mean) ** 2) / (count + EPS)


def push(first: Tensor, second: Tensor, image: Tensor, place: Tensor, images: int) -> Tensor:
    """Sum over the other objects j of (max(0, 1 - |m_i - m_j|) - 1 / (n + 1e-4)) / ((n - 1) n + 1e-4): (P,), summed by the trainer.

    Args:
        first, second, image, images: as `pull`. place: (P,) int64, number of the object within its image, from 0.
    Source: arXiv 1808.01244, equation 5; princeton-vl/CornerNet@e5c39a3.
    Differs: the paper leaves out j = i; the code keeps it and subtracts 1 / n instead. An image with one object
        costs (1 - 1 / (1 + 1e-4)) / 1e-4, close to 1, that nothing can lower.
    """
    mean = (first + second) / 2
    count = _per_image(image, images)
    most = int(place.max()) + 1 if place.shape[0] else 0
    grid = torch.zeros((images, most), dtype=mean.dtype, device=mean.device).index_put((image, place), mean)
    there = torch.zeros_like(grid, dtype=torch.bool).index_put((image, place), torch.ones_like(image, dtype=torch.bool))
    near = torch.relu(1 - torch.abs(mean[:, None] - grid[image]))  # (P, most)
    n = count[image][:, None]
    cost = (near - 1 / (n + EPS)) / ((n - 1) * n + EPS)
    return torch.where(there[image], cost, torch.zeros_like(cost)).sum(1)


def push_by_nearness(near: Tensor, image: Tensor, images: int) -> Tensor:
    """`push`, where the sum of max(0, 1 - |m_i - m_j|) over all objects j of the image, i among them, is known: (P,) float64.

    Args:
        near: (P,) float64 that sum. image, images: as `pull`.
    """
    n = _per_image(image, images)[image]
    return (near - n.double() * (1 / (n + EPS)).double()) / ((n - 1) * n + EPS).double()


def nearness(first: Tensor, second: Tensor, image: Tensor, place: Tensor) -> Tensor:
    """(P,) float64 sum of max(0, 1 - |m_i - m_j|) over the objects of the image, exact for tags that are whole. Arguments as `push`."""
    mean = ((first + second) / 2).double()
    distinct, which = torch.unique(image, return_inverse=True)
    most = int(place.max()) + 1 if place.shape[0] else 0
    grid = torch.full((len(distinct), most), torch.inf, dtype=mean.dtype).index_put((which, place), mean)
    return torch.relu(1 - torch.abs(mean[:, None] - grid[which])).sum(1)


def _per_image(image: Tensor, images: int) -> Tensor:
    """(B,) objects of each image. float32 whatever the tags are: the trainer counts so, and 1 - 1 / (n + 1e-4) loses three digits by it."""
    ones = torch.ones(image.shape, dtype=torch.float32, device=image.device)
    return torch.zeros(images, dtype=torch.float32, device=image.device).index_add(0, image, ones)
