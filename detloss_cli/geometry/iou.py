"""Overlap of boxes: IoU, GIoU, DIoU and CIoU in the forms that released trainers use, for numpy and torch alike.

The forms differ only in where a small number guards a division. That is visible at 1e-6 and for degenerate boxes.

Source: GIoU arXiv 1902.09630, DIoU and CIoU arXiv 1911.08287.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from detloss_cli.geometry.namespace import namespace

Array = Any
Kind = Literal["iou", "giou", "diou", "ciou"]


@dataclass(frozen=True, slots=True)
class IouForm:
    """Where the guards stand.

    union, hull, diagonal: added to the union, to the area of the hull, to its squared diagonal. first_area: added to the area of the first
    box. height: added to both heights. one: added to the 1 in the denominator of CIoU's alpha, where float32 may swallow it and leave
    0 / 0 for identical boxes; alpha: added to that denominator last, where it counts. aspect: added to the height inside atan.
    sides_from_corners: widths and heights are recomputed from the corners; False takes them as given (centre-size boxes only).
    hull_less: what GIoU takes from the hull: the union, or the intersection, as YOLOX 0.1.0 does.
    """

    union: float = 0.0
    hull: float = 0.0
    diagonal: float = 0.0
    first_area: float = 0.0
    height: float = 0.0
    one: float = 0.0
    alpha: float = 0.0
    aspect: float = 0.0
    sides_from_corners: bool = True
    hull_less: Literal["union", "inter"] = "union"


PLAIN = IouForm()
YOLOV5_1 = IouForm(first_area=1e-16, hull=1e-16, diagonal=1e-16)  # yolov5 1.0 and 2.0, yolov3-spp
YOLOV5_3 = IouForm(first_area=1e-16, hull=1e-16, diagonal=1e-16, alpha=1e-16)  # yolov5 3.0
YOLOV5_31 = IouForm(union=1e-9, hull=1e-9, diagonal=1e-9, height=1e-9, one=1e-9)  # yolov5 3.1 and 4.0
YOLOV5_5 = IouForm(union=1e-7, hull=1e-7, diagonal=1e-7, height=1e-7, one=1e-7)  # yolov5 5.0 to 6.1, the xyxy path of later releases
YOLOV5_62 = IouForm(union=1e-7, hull=1e-7, diagonal=1e-7, one=1e-7, sides_from_corners=False)  # yolov5 6.2 and later
YOLOV7 = IouForm(union=1e-7, hull=1e-7, diagonal=1e-7, height=1e-7, one=1e-7, aspect=1e-7)  # yolov7
YOLOX = IouForm(union=1e-16, hull=1e-16, sides_from_corners=False)  # its loss; its assignment has no guard
YOLOX_010 = IouForm(union=1e-16, hull=1e-16, sides_from_corners=False, hull_less="inter")  # 0.1.0, a slip in its GIoU
TORCHVISION = IouForm(union=1e-7, hull=1e-7)  # torchvision's box losses


def iou(box1: Array, box2: Array, *, kind: Kind = "iou", form: IouForm = PLAIN, frame: Literal["cxcywh", "xyxy"] = "xyxy") -> Array:
    """Overlap of boxes, broadcast over the leading axes (`box1[:, None]` against `box2[None]` is pairwise).

    iou = inter / union; giou = iou - (hull - union) / hull; diou = iou - rho2 / c2; ciou = diou - alpha v, with
    v = (4 / pi^2) (atan(w2 / h2) - atan(w1 / h1))^2 and alpha = v / (v - iou + 1), which carries no gradient.

    Args:
        box1: (..., 4) the prediction. box2: (..., 4) the target; same unit.
        kind: which overlap. form: where the guards stand. frame: how both boxes are given.

    Returns:
        (...) in (-inf, 1]; 0 / 0 gives NaN under `PLAIN`.
    """
    xp = namespace(box1, box2)
    left1, top1, right1, bottom1 = _corners(box1, frame)
    left2, top2, right2, bottom2 = _corners(box2, frame)
    if frame == "cxcywh" and not form.sides_from_corners:
        w1, h1, w2, h2 = box1[..., 2], box1[..., 3], box2[..., 2], box2[..., 3]
    else:
        w1, h1, w2, h2 = right1 - left1, bottom1 - top1 + form.height, right2 - left2, bottom2 - top2 + form.height

    overlap_w = (xp.minimum(right1, right2) - xp.maximum(left1, left2)).clip(0)
    overlap_h = (xp.minimum(bottom1, bottom2) - xp.maximum(top1, top2)).clip(0)
    inter = overlap_w * overlap_h
    union = (w1 * h1 + form.first_area) + w2 * h2 - inter + form.union
    ratio = inter / union
    if kind == "iou":
        return ratio

    hull_w = xp.maximum(right1, right2) - xp.minimum(left1, left2)
    hull_h = xp.maximum(bottom1, bottom2) - xp.minimum(top1, top2)
    if kind == "giou":
        area = hull_w * hull_h + form.hull
        return ratio - (area - (union if form.hull_less == "union" else inter)) / area

    distance = ((left2 + right2 - left1 - right1) ** 2 + (top2 + bottom2 - top1 - bottom1) ** 2) / 4
    penalty = distance / (hull_w**2 + hull_h**2 + form.diagonal)
    if kind == "diou":
        return ratio - penalty

    aspect = (4 / math.pi**2) * (xp.atan(w2 / (h2 + form.aspect)) - xp.atan(w1 / (h1 + form.aspect))) ** 2
    alpha = _without_gradient(aspect / (aspect - ratio + (1 + form.one) + form.alpha))
    return ratio - (penalty + aspect * alpha)


def shape_iou(wh1: Array, wh2: Array) -> Array:
    """IoU of boxes laid on one corner: min(w) min(h) / (area1 + area2 - inter), broadcast over the leading axes.

    Args:
        wh1: (..., 2) width and height. wh2: (..., 2), same unit.
    """
    xp = namespace(wh1, wh2)
    smaller = xp.minimum(wh1, wh2)
    inter = smaller[..., 0] * smaller[..., 1]
    return inter / (wh1[..., 0] * wh1[..., 1] + wh2[..., 0] * wh2[..., 1] - inter)


def _corners(boxes: Array, frame: str) -> tuple[Array, Array, Array, Array]:
    """Left, top, right, bottom as columns (...): a column each is what elementwise arithmetic runs fastest on."""
    first, second, third, fourth = (boxes[..., i] for i in range(4))
    if frame == "xyxy":
        return first, second, third, fourth
    half_w, half_h = third / 2, fourth / 2
    return first - half_w, second - half_h, first + half_w, second + half_h


def _without_gradient(value: Array) -> Array:
    return value.detach() if hasattr(value, "detach") else value
