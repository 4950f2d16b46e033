"""The loss of many batches at once against the same batch by batch: numbers to 1e-6, and bits that nothing about the run changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from detloss_cli import families
from detloss_cli.inputs.head import HeadSpec
from detloss_cli.inputs.labels import Images, Labels
from detloss_cli.losses.grid_stack import GridStack
from detloss_cli.losses.stack import Stack
from detloss_cli.losses.summed_stack import SummedStack
from detloss_cli.measure.batches import batches, stack_of, stacks
from detloss_cli.measure.box_loss import BoxLoss
from detloss_cli.measure.loss import LossCount
from detloss_cli.measure.run import Job, assignments, losses
from detloss_cli.measure.set_loss import KINDS, set_box_loss, set_losses, stacked_of
from detloss_cli.measure.stack_pass import BatchedSet

P5 = (((10, 13), (16, 30), (33, 23)), ((30, 61), (62, 45), (59, 119)), ((116, 90), (156, 198), (373, 326)))
TINY = (((10, 14), (23, 27), (37, 58)), ((81, 82), (135, 169), (344, 319)))
SIZE = 4  # images a batch
CASES = [
    pytest.param("yolov5", "7.0", {}, 5, id="yolov5"),
    pytest.param("yolov5", "7.0", {"label_smoothing": 0.1, "gr": 0.5, "cls_pw": 0.6, "obj_pw": 0.9}, 5, id="smoothing-weights-gr"),
    pytest.param("yolov5", "6.0", {"fl_gamma": 1.5}, 5, id="focal"),
    pytest.param("yolov5", "4.0", {"element": "qfocal", "fl_gamma": 2.0}, 5, id="qfocal"),
    pytest.param("yolov5", "3.0", {"element": "blur"}, 3, id="blur"),
    pytest.param("yolov5", "7.0", {}, 1, id="one-class"),
    pytest.param("yolov3-spp", "archive", {}, 5, id="yolov3-spp"),
    pytest.param("yolov3-spp", "wzm", {"gr": 0.0}, 5, id="yolov3-spp-gr"),
    pytest.param("centernet", "xingyizhou", {"max_objs": 20}, 5, id="centernet"),
    pytest.param("centernet", "xingyizhou", {"reg_loss": "sl1", "min_overlap": 0.1}, 1, id="centernet-smooth"),
    pytest.param("centernet", "xingyizhou", {"norm_wh": True, "wh_weight": 3.0, "hm_weight": 0.0}, 5, id="centernet-norm"),
    pytest.param("centernet", "xingyizhou", {"cat_spec_wh": True}, 3, id="centernet-by-class"),
    pytest.param("centernet", "zzzxxxttt", {"min_overlap": 0.3, "reg_loss": "sl1", "norm_wh": True}, 2, id="centernet-other-radius"),
    pytest.param("cornernet", "e5c39a3", {}, 5, id="cornernet"),
    pytest.param("cornernet", "unclipped", {"gaussian_iou": 0.6, "pull_weight": 2.0, "regr_weight": 0.5}, 1, id="cornernet-unclipped"),
    pytest.param("keras-yolo3", "master", {}, 5, id="keras-yolo3"),
    pytest.param("keras-yolo3", "master", {"ignore_thresh": 0.3}, 1, id="keras-yolo3-one-class"),
    pytest.param("keras-yolo3-tiny", "master", {"ignore_thresh": 0.7}, 5, id="keras-yolo3-tiny"),
    pytest.param("keras-yolo3", "master", {"ignore_thresh": 0.0}, 5, id="keras-yolo3-ignores-all"),
]
BITS = [
    pytest.param("yolov5", "7.0", {}, id="bce"),
    pytest.param("yolov5", "7.0", {"fl_gamma": 1.5}, id="focal"),
    pytest.param("centernet", "xingyizhou", {"reg_loss": "sl1"}, id="centernet"),
    pytest.param("centernet", "xingyizhou", {"cat_spec_wh": True}, id="centernet-by-class"),
    pytest.param("cornernet", "e5c39a3", {}, id="cornernet"),
    pytest.param("keras-yolo3", "master", {}, id="keras-yolo3"),
]
BY_BOX = [
    pytest.param("yolov5", "7.0", {}, id="bce"),
    pytest.param("yolov5", "7.0", {"fl_gamma": 1.5, "label_smoothing": 0.1}, id="focal"),
    pytest.param("centernet", "xingyizhou", {"reg_loss": "sl1"}, id="centernet"),
    pytest.param("centernet", "xingyizhou", {"norm_wh": True, "max_objs": 20}, id="centernet-norm"),
    pytest.param("centernet", "zzzxxxttt", {}, id="centernet-other-radius"),
    pytest.param("centernet", "xingyizhou", {"cat_spec_wh": True}, id="centernet-by-class"),
    pytest.param("cornernet", "e5c39a3", {}, id="cornernet"),
    pytest.param("keras-yolo3", "master", {}, id="keras-yolo3"),
]
SPECS = {
    "yolov5": HeadSpec("small", "yolov5", (8, 16, 32), P5),
    "yolov3-spp": HeadSpec("small", "yolov3-spp", (32, 16, 8), P5[::-1]),
    "keras-yolo3": HeadSpec("small", "keras-yolo3", (32, 16, 8), P5[::-1]),
    "keras-yolo3-tiny": HeadSpec("tiny", "keras-yolo3", (32, 16), TINY[::-1]),
    "centernet": HeadSpec("small", "centernet", (4, 4), maps=("map0", "map1")),
    "cornernet": HeadSpec("small", "cornernet", (4, 4, 4, 4), maps=("tl0", "br0", "tl1", "br1")),
}


def made(per_image: list[int], classes: int, seed: int = 0) -> Labels:
    """Boxes that crowd together, so that slots are shared within a class and across classes."""
    rng = np.random.default_rng(seed)
    count, images = sum(per_image), len(per_image)
    size = np.exp(rng.normal(-2.2, 0.8, (count, 2))).clip(0.01, 0.9)
    place = rng.choice(rng.random((6, 2)), count) + rng.normal(0, 0.01, (count, 2))
    boxes = np.concatenate((place.clip(size / 2, 1 - size / 2), size), axis=1).astype(np.float32)
    names = tuple(f"{i}.txt" for i in range(images))
    sizes = np.zeros(images, dtype=np.int32)
    image = np.repeat(np.arange(images), per_image)
    columns = Images(names, names, ("train",) * images, sizes, sizes)
    return Labels(image, rng.integers(0, classes, count), boxes, np.ones(count, np.int32), columns, ("a",) * classes)


CROWDED = [9, 0, 30, 2, 0, 0, 0, 0, 17, 40, 1, 8, 25, 3]  # the second batch is empty, the last one short


def job_of(name: str, profile: str, keys: dict[str, object], classes: int) -> Job:
    family = families.load(name.removesuffix("-tiny"))
    hyp = replace(family.Hyp(), **keys)
    return Job(family, profile, SPECS[name].at((128, 160), classes), hyp, torch.device("cpu"), torch.float32, 0)


def plain(kind: str, job: Job, labels: Labels) -> LossCount:
    formed = list(batches(labels, labels.boxes, job.head.imgsz, SIZE, job.family.FRAME, job.lift))
    return losses(kind, job, formed, assignments(job, formed))


def stacked(kind: str, job: Job, labels: Labels, *, threads: int = 1, most_boxes: int = 60) -> LossCount:
    return set_losses(BatchedSet(labels, labels.boxes, SIZE, threads, most_boxes), {"one": (kind, job)})["one"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "profile", "keys", "classes"), CASES)
def test_every_term_of_every_batch_is_that_of_the_plain_path(name, profile, keys, classes, kind) -> None:
    job, labels = job_of(name, profile, keys, classes), made(CROWDED, classes)
    one, other = stacked(kind, job, labels), plain(kind, job, labels)
    assert one.rows.keys() == other.rows.keys()
    for key, rows in other.rows.items():
        assert list(one.rows[key].count) == list(rows.count)
        assert list(one.rows[key].gain) == list(rows.gain)
        # of single batches, and a float32 sum over a handful of cells is no better than that
        np.testing.assert_allclose(one.rows[key].raw, rows.raw, rtol=4e-6, atol=1e-9, err_msg=str(key))
    assert list(one.factors) == list(other.factors)
    for term, total in other.totals().items():
        assert one.totals()[term] == pytest.approx(total, rel=1e-6, abs=1e-10), term
    for level, targets in other.targets.items():
        assert [slots for _, slots in one.targets[level]] == [slots for _, slots in targets]
        np.testing.assert_allclose([s for s, _ in one.targets[level]], [s for s, _ in targets], rtol=1e-6, atol=1e-7)
    assert len(one.maps) == len(other.maps)
    for shown, maps in zip(one.maps, other.maps, strict=True):
        for map_, wanted in zip(shown, maps, strict=True):
            assert (map_["centres"], map_["near_cells"]) == (wanted["centres"], wanted["near_cells"])
            assert map_["near_weight"] == pytest.approx(wanted["near_weight"], rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "profile", "keys"), BITS)
def test_threads_and_stack_sizes_do_not_change_a_bit(name, profile, keys, kind) -> None:
    job, labels = job_of(name, profile, keys, 5), made(CROWDED * 3, 5)
    before, found = torch.get_num_threads(), []
    for threads, most_boxes, torch_threads in ((1, 1, 1), (1, 10_000, 3), (2, 60, 2), (3, 97, 1)):
        torch.set_num_threads(torch_threads)
        count = stacked(kind, job, labels, threads=threads, most_boxes=most_boxes)
        assert torch.get_num_threads() == torch_threads
        rows = {key: (list(rows.raw), list(rows.count)) for key, rows in count.rows.items()}
        found.append((rows, count.targets, count.maps, count.totals()))
    torch.set_num_threads(before)
    assert found[1:] == found[:-1]


def test_several_heads_and_jobs_in_one_pass_are_what_each_is_alone() -> None:
    job, labels = job_of("yolov5", "7.0", {}, 5), made(CROWDED, 5)
    certain = replace(job, hyp=replace(job.hyp, gr=0.0))
    focal = replace(job, hyp=replace(job.hyp, fl_gamma=1.5))
    wanted = {"prior": ("prior", job), "certain": ("base-rate", certain), "focal": ("base-rate", focal), "perfect": ("perfect", job)}
    together = set_losses(BatchedSet(labels, labels.boxes, SIZE, 2, 60), wanted)
    for name, (kind, one) in wanted.items():
        assert together[name].totals() == stacked(kind, one, labels).totals()
    assert together["certain"].totals()["obj"] != together["prior"].totals()["obj"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "profile", "keys"), BY_BOX)
def test_what_each_box_adds_is_what_it_adds_batch_by_batch(name, profile, keys, kind) -> None:
    job, labels = job_of(name, profile, keys, 5), made(CROWDED, 5)
    formed = list(batches(labels, labels.boxes, job.head.imgsz, SIZE, job.family.FRAME, job.lift))
    by_batch, by_stack = BoxLoss(len(labels)), BoxLoss(len(labels))
    losses(kind, job, formed, assignments(job, formed), by_batch)
    set_box_loss(BatchedSet(labels, labels.boxes, SIZE, 2, 60), kind, job, by_stack)
    assert by_stack.columns.keys() == by_batch.columns.keys()
    for name, column in by_batch.columns.items():
        assert column.any() == (name != "pull" or kind == "perfect")
        np.testing.assert_allclose(by_stack.columns[name], column, rtol=2e-5, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("kind", ["base-rate", "perfect"])
def test_stacks_do_not_change_a_bit_of_what_a_box_adds(kind) -> None:
    job, labels = job_of("keras-yolo3", "master", {}, 5), made(CROWDED * 2, 5)
    found = []
    for threads, most_boxes in ((1, 1), (1, 10_000), (2, 97)):
        by_box = BoxLoss(len(labels))
        set_box_loss(BatchedSet(labels, labels.boxes, SIZE, threads, most_boxes), kind, job, by_box)
        found.append({name: column.tolist() for name, column in by_box.columns.items()})
    assert found[1:] == found[:-1]


@pytest.mark.parametrize("per_image", [[], [0], [0] * 9, [1]], ids=str)
@pytest.mark.parametrize(
    ("name", "profile"), [("yolov5", "7.0"), ("centernet", "xingyizhou"), ("cornernet", "e5c39a3"), ("keras-yolo3", "master")]
)
def test_sets_of_nothing(name, profile, per_image) -> None:
    job, labels = job_of(name, profile, {}, 5), made(per_image, 5)
    for kind in KINDS:
        one, other = stacked(kind, job, labels), plain(kind, job, labels)
        assert len(one.factors) == len(other.factors) == -(-len(per_image) // SIZE)
        assert one.totals() == pytest.approx(other.totals(), rel=1e-6, abs=1e-10)


def test_stacks_hold_whole_batches_once() -> None:
    labels = made(CROWDED, 5)
    runs = list(stacks(labels, SIZE, 60))
    assert [images.start for images, _ in runs[1:]] == [images.stop for images, _ in runs[:-1]]
    assert [rows.start for _, rows in runs[1:]] == [rows.stop for _, rows in runs[:-1]]
    assert (runs[0][0].start, runs[-1][0].stop, runs[-1][1].stop) == (0, len(CROWDED), len(labels))
    assert all(images.start % SIZE == 0 for images, _ in runs)
    assert [rows.stop - rows.start for _, rows in runs] == [41, 66, 28]
    assert len(list(stacks(made([0] * 20_000, 2), SIZE, 60))) == 3


def test_a_class_beyond_the_head_is_refused_as_batch_by_batch() -> None:
    job, labels = job_of("yolov5", "7.0", {}, 5), made(CROWDED, 5)
    wrong = replace(labels, cls=labels.cls + 1)
    for loss in (plain, stacked):
        with pytest.raises(RuntimeError):
            loss("prior", job, wrong)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", [2, 3], ids=["width", "height"])
@pytest.mark.parametrize("value", [0.0, -0.1, 2.5])
def test_boxes_that_make_a_summed_loss_infinite_or_worse(side, value, kind) -> None:
    job, labels = job_of("keras-yolo3", "master", {}, 5), made(CROWDED, 5)
    boxes = labels.boxes.copy()
    boxes[5::20, side] = value
    labels = replace(labels, boxes=boxes)
    one, other = stacked(kind, job, labels), plain(kind, job, labels)
    for key, rows in other.rows.items():
        np.testing.assert_allclose(one.rows[key].raw, rows.raw, rtol=4e-6, atol=1e-9, err_msg=str(key))
    if value <= 0:
        assert not np.isfinite([rows.raw for rows in other.rows.values()]).all()


def test_logits_that_the_sums_do_not_stand_for() -> None:
    job, labels = job_of("yolov5", "7.0", {}, 5), made(CROWDED, 5)
    grid = stacked_of(job)
    assert isinstance(grid, GridStack)
    batch = stack_of(labels, labels.boxes, job.head.imgsz, range(8), slice(0, 41), "cxcywh", job.lift)
    sums = grid.sums(batch.targets, job.assign(batch, None), Stack(8, SIZE), torch.float32)
    for channel in (0, 4):
        moved = [level.clone() for level in grid.prior]
        moved[1][0, channel] += 1
        with pytest.raises(ValueError, match="the prior's boxes"):
            grid.constant_of(moved, sums)


def test_logits_that_summed_sums_do_not_stand_for() -> None:
    job, labels = job_of("keras-yolo3", "master", {}, 5), made(CROWDED, 5)
    grid = stacked_of(job)
    assert isinstance(grid, SummedStack)
    batch = stack_of(labels, labels.boxes, job.head.imgsz, range(8), slice(0, 41), "xyxy_px", job.lift)
    inputs = batch.targets, job.assign(batch, None), Stack(8, SIZE)
    sums = grid.sums(*inputs, torch.float32)
    for anchors, channel in ((slice(0, 1), 4), (slice(None), 0)):
        moved = [level.clone() for level in grid.prior]
        moved[1][anchors, channel] += 1
        with pytest.raises(ValueError, match="the boxes that the sums were made with"):
            grid.constant_of(moved, sums)
    with pytest.raises(ValueError, match="the boxes that the sums were made with"):
        replace(grid, threshold=0.7).constant_of(grid.prior, sums)
    with pytest.raises(ValueError, match="perfect"):
        grid.loss(grid.prior, *inputs)
    with pytest.raises(ValueError, match="perfect"):
        grid.constant_of(None, sums)


@pytest.mark.parametrize("keys", [{"autobalance": True}, {"sort_obj_iou": True}], ids=str)
def test_a_batch_that_depends_on_another_is_not_stacked(keys) -> None:
    job = job_of("yolov5", "7.0", keys, 5)
    assert stacked_of(job) is None
    with pytest.raises(ValueError, match="stacks"):
        stacked("prior", job, made(CROWDED, 5))
