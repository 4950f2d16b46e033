from dataclasses import replace

import pytest

from detloss_cli.errors import DetlossError
from detloss_cli.inputs import shipped
from detloss_cli.inputs.heads import BUILT_IN
from detloss_cli.inputs.model_yaml import read_model_file

V5_LAYERS = """
backbone:
  - [-1, 1, Conv, [64, 6, 2, 2]]
  - [-1, 1, Conv, [128, 3, 2]]
  - [-1, 3, C3, [128]]
  - [-1, 1, Conv, [256, 3, 2]]
  - [-1, 1, Conv, [512, 3, 2]]
  - [-1, 1, Conv, [1024, 3, 2]]
  - [-1, 1, SPPF, [1024, 5]]
head:
  - [-1, 1, nn.Upsample, [None, 2, 'nearest']]
  - [[-1, 4], 1, Concat, [1]]
  - [-1, 3, C3, [512, False]]
  - [-1, 1, Conv, [512, 3, 2]]
  - [[9, 10], 1, Detect, [nc, anchors]]
"""


def write(tmp_path, text, name="mine.yaml"):
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def kinds(faults):
    return [(f.kind, f.line) for f in faults]


def test_built_in_heads_are_whole():
    for name, spec in BUILT_IN.items():
        assert spec.name == name == name.lower()
        if spec.anchors is not None:
            assert len(spec.anchors) == len(spec.strides)
            assert len({len(row) for row in spec.anchors}) == 1
            assert all(side > 0 for row in spec.anchors for box in row for side in box)
        head = spec.at((spec.imgsz, spec.imgsz), 3)
        assert [level.stride for level in head.levels] == list(spec.strides)


@pytest.mark.parametrize(
    ("name", "family", "strides", "anchors", "first"),
    [
        ("yolov5s", "yolov5", (8, 16, 32), 3, (10, 13)),
        ("yolov5x6", "yolov5", (8, 16, 32, 64), 3, (19, 27)),
        ("yolov3-tiny", None, (16, 32), 3, (10, 14)),
        ("yolov3-spp", "yolov3-spp", (32, 16, 8), 3, (116, 90)),
        ("yolov7", "yolov7", (8, 16, 32), 3, (12, 16)),
        ("yolov7-e6e", "yolov7", (8, 16, 32, 64), 3, (19, 27)),
        ("yolo11n", "yolov8", (8, 16, 32), 0, None),
        ("yolo26x-p2", "yolov8", (4, 8, 16, 32), 0, None),
        ("yolov8m-p6", "yolov8", (8, 16, 32, 64), 0, None),
        ("yolov5su", "yolov8", (8, 16, 32), 0, None),
        ("yolox-s", "yolox", (8, 16, 32), 0, None),
        ("centernet", "centernet", (4,), 0, None),
        ("fcos", "fcos", (8, 16, 32, 64, 128), 0, None),
        ("retinanet", "retinanet", (8, 16, 32, 64, 128), 9, (46, 22)),
    ],
)
def test_built_in_heads_by_name(name, family, strides, anchors, first):
    file = read_model_file(name)
    assert (file.spec.family, file.spec.strides, file.faults) == (family, strides, ())
    assert [len(row) for row in file.spec.anchors] == [anchors] * len(strides)
    assert first is None or file.spec.anchors[0][0] == first


def test_only_yolo26_has_neither_distributions_nor_suppression():
    assert (BUILT_IN["yolo26n"].reg_max, BUILT_IN["yolo26n"].end2end) == (1, True)
    assert (BUILT_IN["yolo11n"].reg_max, BUILT_IN["yolo11n"].end2end) == (16, False)


def test_retinanet_anchors_as_torchvision_has_them():
    level = BUILT_IN["retinanet"].anchors[0]
    assert level == ((46, 22), (56, 28), (70, 36), (32, 32), (40, 40), (50, 50), (22, 46), (28, 56), (36, 70))


@pytest.mark.parametrize("name", ["yolov5s.pt", "models/yolov5s.yaml", "YOLOv5s", "yolov5s.yaml"])
def test_names_as_users_write_them(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_model_file(name).spec == BUILT_IN["yolov5s"]


@pytest.mark.parametrize(("name", "hint"), [("yolov5z", "yolov5"), ("yolo111n", "yolo11n"), ("???", "a model .yaml")])
def test_an_unknown_name_gets_a_suggestion(name, hint):
    with pytest.raises(DetlossError, match=f"no such model.*{hint}"):
        read_model_file(name)


def test_a_missing_file_names_its_neighbour(tmp_path):
    write(tmp_path, "nc: 1\n", "model_a.yaml")
    with pytest.raises(DetlossError, match=r"model_a\.yaml"):
        read_model_file(str(tmp_path / "model_b.yaml"))


def test_shipped_models_are_the_built_in_heads():
    paths = sorted((shipped.folder() / "models").glob("*.yaml"))
    assert len(paths) >= 10
    for path in paths:
        file = read_model_file(str(path))
        assert file.faults == ()
        assert replace(file.spec, source="built in", num_classes=None) == BUILT_IN[path.stem]


def test_the_strides_are_followed_through_the_layers(tmp_path):
    text = "nc: 3\nanchors:\n  - [10,13, 16,30]\n  - [[30,61], [62,45]]\n" + V5_LAYERS
    file = read_model_file(write(tmp_path, text))
    assert (file.spec.strides, file.spec.family, file.spec.num_classes, file.faults) == ((16, 32), "yolov5", 3, ())
    assert file.spec.anchors == (((10, 13), (16, 30)), ((30, 61), (62, 45)))
    assert file.lines["nc"] == 1


def test_a_file_without_anchors_is_anchor_free(tmp_path):
    file = read_model_file(write(tmp_path, "nc: 3\n" + V5_LAYERS))
    assert (file.spec.family, file.spec.reg_max, file.spec.anchors, file.faults) == ("yolov8", 16, ((), ()), ())
    spec = read_model_file(write(tmp_path, "nc: 3\nreg_max: 1\nend2end: True\n" + V5_LAYERS)).spec
    assert (spec.reg_max, spec.end2end) == (1, True)


def test_auxiliary_heads_do_not_count(tmp_path):
    text = "anchors: [[1,2], [3,4]]\n" + V5_LAYERS.replace("[[9, 10], 1, Detect", "[[9, 10, 9, 10], 1, IAuxDetect")
    file = read_model_file(write(tmp_path, text))
    assert (file.spec.strides, file.spec.family, file.faults) == ((16, 32), "yolov7", ())


@pytest.mark.parametrize(
    ("rows", "name", "strides"),
    [
        (3, "a", (8, 16, 32)),
        (4, "a", (8, 16, 32, 64)),
        (4, "a-p2", (4, 8, 16, 32)),
        (2, "a-tiny", (16, 32)),
        (5, "a", (8, 16, 32, 64, 128)),
    ],
)
def test_without_layers_the_number_of_rows_decides_and_says_so(tmp_path, rows, name, strides):
    file = read_model_file(write(tmp_path, f"anchors: {[[10, 20]] * rows}\n", f"{name}.yaml"))
    assert (file.spec.strides, kinds(file.faults)) == (strides, [("model-strides", None)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("model-form", None)]),
        ("- 1\n", [("model-form", 1)]),
        ("a: [\n", [("yaml-syntax", 2)]),
        ("strides: [8]\nanchors: [[10]]\n", [("model-anchors-form", 2)]),
        ("strides: [8]\nanchors:\n  - [10, -1]\n", [("model-anchors-form", 3)]),
        ("strides: [8, 16]\nanchors:\n  - [1,2]\n  - [1,2,3,4]\n", [("model-anchors-form", 4)]),
        ("strides: [8]\nanchors: none\n", [("model-anchors-form", 2)]),
        ("strides: [8]\nanchors: 3\n", [("model-anchors-fitted", 2)]),
        ("strides: [8, 16]\nanchors: [[1,2]]\n", [("model-levels", 2)]),
        ("strides: [8]\nanchors: [[1,2]]\nnc: two\ndepth_multiple: 0\n", [("model-value", 3), ("model-value", 4)]),
    ],
)
def test_faults(tmp_path, text, expected):
    assert kinds(read_model_file(write(tmp_path, text)).faults) == expected
