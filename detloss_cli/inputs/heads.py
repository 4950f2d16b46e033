"""Built-in heads, as data. Levels stand in the order in which the family feeds them to its loss.

Source: the anchors and strides that the trainers' own model files and papers state, in pixels at the input size of the head.
"""

from __future__ import annotations

from collections.abc import Iterator

from detloss_cli.inputs.head import HeadSpec

Anchors = tuple[tuple[tuple[float, float], ...], ...]


def _rows(*rows: str) -> Anchors:
    """One level a row: `10,13 16,30 33,23`."""
    return tuple(tuple((float(w), float(h)) for w, h in (pair.split(",") for pair in row.split())) for row in rows)


P3_P5 = (8, 16, 32)
P3_P6 = (8, 16, 32, 64)
P2_P5 = (4, 8, 16, 32)
P3_P7 = (8, 16, 32, 64, 128)

COCO_P5 = _rows("10,13 16,30 33,23", "30,61 62,45 59,119", "116,90 156,198 373,326")
COCO_P6 = _rows("19,27 44,40 38,94", "96,68 86,152 180,137", "140,301 303,264 238,542", "436,615 739,380 925,792")
YOLOV7_P5 = _rows("12,16 19,36 40,28", "36,75 76,55 72,146", "142,110 192,243 459,401")
TINY = _rows("10,14 23,27 37,58", "81,82 135,169 344,319")


def retinanet_anchors() -> Anchors:
    """Nine anchors a level: sides trunc(4 s 2^(k/3)), k = 0, 1, 2, at height to width 1/2, 1, 2; half sides rounded to whole pixels.

    Source: torchvision 0.29.1, AnchorGenerator: ratio by ratio, sizes within.
    """
    levels = []
    for stride in P3_P7:
        sizes = [int(4 * stride * 2 ** (k / 3)) for k in range(3)]
        levels.append(tuple((2.0 * round(s / r**0.5 / 2), 2.0 * round(s * r**0.5 / 2)) for r in (0.5, 1.0, 2.0) for s in sizes))
    return tuple(levels)


def _anchored() -> Iterator[HeadSpec]:
    for size in "nsmlx":
        yield HeadSpec(f"yolov5{size}", "yolov5", P3_P5, COCO_P5)
        yield HeadSpec(f"yolov5{size}6", "yolov5", P3_P6, COCO_P6, imgsz=1280)
    for name, strides in (("p2", P2_P5), ("p34", (8, 16)), ("p6", P3_P6), ("p7", P3_P7)):
        yield HeadSpec(f"yolov5-{name}", "yolov5", strides, None)
    yield HeadSpec("yolov3", None, P3_P5, COCO_P5)
    yield HeadSpec("yolov3-tiny", None, (16, 32), TINY)
    yield HeadSpec("yolov3-spp", "yolov3-spp", P3_P5[::-1], COCO_P5[::-1], imgsz=512)
    yield HeadSpec("keras-yolo3", "keras-yolo3", P3_P5[::-1], COCO_P5[::-1], imgsz=416)
    yield HeadSpec("keras-yolo3-tiny", "keras-yolo3", (32, 16), TINY[::-1], imgsz=416)
    for name in ("yolov7", "yolov7x"):
        yield HeadSpec(name, "yolov7", P3_P5, YOLOV7_P5)
    yield HeadSpec("yolov7-tiny", "yolov7", P3_P5, COCO_P5)
    for name in ("w6", "e6", "d6", "e6e"):
        yield HeadSpec(f"yolov7-{name}", "yolov7", P3_P6, COCO_P6, imgsz=1280)
    yield HeadSpec("retinanet", "retinanet", P3_P7, retinanet_anchors(), imgsz=800)


def _anchor_free() -> Iterator[HeadSpec]:
    for name, strides, reg_max, end2end in _aligned():
        yield HeadSpec(name, "yolov8", strides, ((),) * len(strides), reg_max=reg_max, end2end=end2end)
    for size in ("nano", "tiny", "s", "m", "l", "x"):
        yield HeadSpec(f"yolox-{size}", "yolox", P3_P5, ((),) * 3, imgsz=416 if size in ("nano", "tiny") else 640)
    yield HeadSpec("yolox", "yolox", P3_P5, ((),) * 3)
    yield HeadSpec("centernet", "centernet", (4,), ((),), imgsz=512)
    yield HeadSpec("centernet-hourglass", "centernet", (4,) * 2, ((),) * 2, imgsz=512, maps=("stack1", "stack2"))
    yield HeadSpec("cornernet", "cornernet", (4,) * 4, ((),) * 4, imgsz=512, maps=("tl1", "br1", "tl2", "br2"))
    yield HeadSpec("fcos", "fcos", P3_P7, ((),) * 5, imgsz=800)
    layers = ("layer6", *(f"layer{i}" for i in range(1, 6)))  # the last decoder layer first, then the auxiliary ones
    yield HeadSpec("detr", "detr", (32,) * 6, ((),) * 6, imgsz=800, maps=layers, queries=100)


def _aligned() -> Iterator[tuple[str, tuple[int, ...], int, bool]]:
    """Name, strides, reg_max and end2end of the heads that ultralytics trains by task alignment."""
    for release, sizes, reg_max, end2end in (
        ("yolov8", "nsmlx", 16, False),
        ("yolov9", "tsmce", 16, False),
        ("yolov10", "nsmblx", 16, True),
        ("yolo11", "nsmlx", 16, False),
        ("yolo12", "nsmlx", 16, False),
        ("yolo26", "nsmlx", 1, True),
    ):
        for size in sizes:
            yield f"{release}{size}", P3_P5, reg_max, end2end
            if sizes == "nsmlx":
                yield f"{release}{size}-p2", P2_P5, reg_max, end2end
                yield f"{release}{size}-p6", P3_P6, reg_max, end2end
    for size in "nsmlx":  # the yolov5 backbones that ultralytics ships have the v8 head
        yield f"yolov5{size}u", P3_P5, 16, False
        yield f"yolov5{size}6u", P3_P6, 16, False
    yield "yolov3u", P3_P5, 16, False


BUILT_IN: dict[str, HeadSpec] = {spec.name: spec for specs in (_anchored(), _anchor_free()) for spec in specs}
