"""The guards of each released overlap, against scalar arithmetic on boxes so small that a guard is seen."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detloss_cli.geometry import iou as forms
from detloss_cli.geometry.iou import IouForm, Kind, iou

# left, top, right, bottom: sides of a ten-thousandth, where 1e-7 is a thousandth of a side and more than the area
PREDICTED, TRUE = (2e-4, 1e-4, 5e-4, 3e-4), (3e-4, 1.5e-4, 5.5e-4, 4e-4)


def parts(first: tuple[float, ...], second: tuple[float, ...], height: float) -> tuple[float, ...]:
    """Sides of both, the overlap's area, sides of the hull, squared distance of the centres."""
    w1, h1, w2, h2 = first[2] - first[0], first[3] - first[1] + height, second[2] - second[0], second[3] - second[1] + height
    across = min(first[2], second[2]) - max(first[0], second[0])
    down = min(first[3], second[3]) - max(first[1], second[1])
    hull_w = max(first[2], second[2]) - min(first[0], second[0])
    hull_h = max(first[3], second[3]) - min(first[1], second[1])
    dx, dy = second[0] + second[2] - first[0] - first[2], second[1] + second[3] - first[1] - first[3]
    return w1, h1, w2, h2, max(across, 0) * max(down, 0), hull_w, hull_h, (dx * dx + dy * dy) / 4


def ciou(eps: float, height: float, aspect: float) -> float:
    w1, h1, w2, h2, inter, hull_w, hull_h, rho2 = parts(PREDICTED, TRUE, height)
    ratio = inter / (w1 * h1 + w2 * h2 - inter + eps)
    v = 4 / math.pi**2 * (math.atan(w2 / (h2 + aspect)) - math.atan(w1 / (h1 + aspect))) ** 2
    return ratio - rho2 / (hull_w**2 + hull_h**2 + eps) - v * v / (v - ratio + 1 + eps)


def giou(eps: float, *, slip: bool = False) -> float:
    w1, h1, w2, h2, inter, hull_w, hull_h, _ = parts(PREDICTED, TRUE, 0.0)
    union = w1 * h1 + w2 * h2 - inter + eps
    area = hull_w * hull_h + eps
    return inter / union - (area - (inter if slip else union)) / area


@pytest.mark.parametrize(
    ("form", "kind", "wanted"),
    [
        (forms.YOLOV5_31, "ciou", ciou(1e-9, 1e-9, 0.0)),
        (forms.YOLOV5_5, "ciou", ciou(1e-7, 1e-7, 0.0)),
        (forms.YOLOV5_62, "ciou", ciou(1e-7, 0.0, 0.0)),
        (forms.YOLOV7, "ciou", ciou(1e-7, 1e-7, 1e-7)),
        (forms.TORCHVISION, "giou", giou(1e-7)),
        (forms.YOLOX, "giou", giou(1e-16)),
        (forms.YOLOX_010, "giou", giou(1e-16, slip=True)),
    ],
)
def test_each_guard_where_it_is_seen(form: IouForm, kind: Kind, wanted: float) -> None:
    first, second = (np.array([box]) for box in (PREDICTED, TRUE))
    if not form.sides_from_corners:
        first, second = (np.concatenate(((b[:, :2] + b[:, 2:]) / 2, b[:, 2:] - b[:, :2]), axis=1) for b in (first, second))
        found = iou(first, second, kind=kind, form=form, frame="cxcywh")
    else:
        found = iou(first, second, kind=kind, form=form)
    assert float(found[0]) == pytest.approx(wanted, rel=1e-9)


def test_a_box_on_itself_in_yolov5_3() -> None:
    """alpha is 0 / (0 + 1e-16): without the guard the loss of a perfect box is no number."""
    box = np.array([[1.0, 2.0, 3.0, 4.0]], dtype=np.float32)
    assert float(iou(box, box, kind="ciou", form=forms.YOLOV5_3)[0]) == 1.0
