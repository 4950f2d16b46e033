"""Where a target stands among the annotations of its own image."""

from __future__ import annotations

from array_api_compat import array_namespace, device

from detloss_cli.targets.assignment import Array


def image_order(image: Array) -> Array:
    """(N,) int64: the targets image by image, each image's in their own order."""
    xp = array_namespace(image)
    return xp.argsort(image, stable=True)


def index_in_image(image: Array) -> Array:
    """(N,) int64: how many earlier targets the image of each has."""
    xp = array_namespace(image)
    order = image_order(image)
    ordered = image[order]
    first = xp.searchsorted(ordered, ordered)
    place = xp.arange(image.shape[0], dtype=xp.int64, device=device(image)) - first
    return place[xp.argsort(order)]
