"""Heat-map targets, held sparse: one Gaussian an object, overlaps by maximum. Written for numpy and torch alike.

Source: arXiv 1808.01244, section 3.2; arXiv 1904.07850, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

from array_api_compat import array_namespace, device

from detloss_cli.geometry.gaussian import gaussian_windows
from detloss_cli.targets.assignment import Array
from detloss_cli.targets.slots import last_of_each


@dataclass(frozen=True, slots=True)
class HeatMap:
    """The cells of B maps of C classes that are not 0, each once, ordered by image, class, row, column. K cells.

    image, cls, row, col: (K,) int64. value: (K,) float32 in (0, 1], 1 at centres alone. shape: (B, C, rows, cols).
    """

    image: Array
    cls: Array
    row: Array
    col: Array
    value: Array
    shape: tuple[int, int, int, int]

    def cells(self) -> Array:
        """(K,) int64, the cell of each over the maps of all images, without its class."""
        _, _, rows, cols = self.shape
        return (self.image * rows + self.row) * cols + self.col

    def dense(self) -> Array:
        """(B, C, rows, cols) float32."""
        xp = array_namespace(self.value)
        _, classes, rows, cols = self.shape
        full = xp.zeros(self.shape, dtype=self.value.dtype, device=device(self.value))
        flat = xp.reshape(full, (-1,))
        flat[((self.image * classes + self.cls) * rows + self.row) * cols + self.col] = self.value
        return xp.reshape(flat, self.shape)

    def at_cells(self, cells: Array) -> Array:
        """All classes at S cells: (S, C) float32.

        Args:
            cells: (S,) int64 as `cells` counts them, ascending, none twice.
        """
        xp = array_namespace(self.value)
        picked = xp.zeros((cells.shape[0] + 1, self.shape[1]), dtype=self.value.dtype, device=device(self.value))
        place, hit = find_sorted(cells, self.cells())
        last = xp.full_like(place, cells.shape[0])  # entries that stand in none of the cells are written to a row that is cut off
        flat = xp.reshape(picked, (-1,))
        flat[xp.where(hit, place, last) * self.shape[1] + self.cls] = self.value
        return xp.reshape(flat, picked.shape)[:-1, :]


def find_sorted(keys: Array, wanted: Array) -> tuple[Array, Array]:
    """Where each wanted number stands among ascending keys, and whether it does: (W,) int64 and (W,) bool."""
    xp = array_namespace(keys)
    padded = xp.concat((keys, xp.full((1,), -1, dtype=keys.dtype, device=device(keys))))
    place = xp.searchsorted(keys, wanted)
    return place, padded[place] == wanted


def draw_heatmap(image: Array, cls: Array, x: Array, y: Array, radius: Array, shape: tuple[int, int, int, int]) -> HeatMap:
    """One Gaussian a key point on the map of its image and class: heat = max(heat, G).

    Args:
        image, cls: (N,) int64. x, y: (N,) int64 cell of the key point. radius: (N,) int64 cells. shape: (B, C, rows, cols).
    """
    xp = array_namespace(x)
    _, classes, rows, cols = shape
    drawn = gaussian_windows(x, y, radius, rows, cols)
    plane = (image * classes + cls)[drawn.owner]
    key = (plane * rows + drawn.row) * cols + drawn.col
    order = xp.argsort(drawn.value, stable=True)
    order = order[last_of_each(key[order])]  # of the values of one cell the last, which is the greatest
    order = order[xp.argsort(key[order])]
    owner = drawn.owner[order]
    return HeatMap(image[owner], cls[owner], drawn.row[order], drawn.col[order], drawn.value[order], shape)
