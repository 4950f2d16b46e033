"""A data set in front of a head: read, counted, and moved to the network input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from detloss_cli.checks.model_yaml import model_faults
from detloss_cli.errors import DetlossError
from detloss_cli.facts import DataFacts, LabelFacts, LostRows, Settings, ShapeFacts
from detloss_cli.geometry.letterbox import Geometry
from detloss_cli.inputs.dataset import DataSet
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.head import Head
from detloss_cli.inputs.labels import Labels
from detloss_cli.inputs.limits import UNREAD_KINDS
from detloss_cli.measure.boxes import class_facts
from detloss_cli.measure.network import View, at_network, geometry_of, views_of
from detloss_cli.measure.parts import Part, chosen_parts, sides_px
from detloss_cli.measure.size_classes import size_classes
from detloss_cli.measure.switches import other_classes
from detloss_cli.reading import Read, asked_splits, load
from detloss_cli.rect_choice import arranged, why_not
from detloss_cli.resolve import Request, Setup

TRAIN = "train"
NO_TRAIN = "classes weighed by their boxes in the training set; there is no split train, so computed by the boxes that are read"
GEOMETRIES: tuple[Geometry, ...] = ("letterbox", "stretch", "square")


@dataclass(frozen=True, slots=True)
class Scene:
    """labels: the boxes that the loader keeps. network: (N, 4) float32 centre and size in 0..1 of the network input.

    geometry_why: why the geometry is the one it is. faults: of data.yaml, hyp and model. left_out: boxes that the loader read but the
    trainer does not train, by rule.
    parts: where batches of `batch_size` differ in their input shape. picture: (M,) number of each picture among the files, where they
    stand in another order. class_counts: (C,) boxes of each class in the training set, () where the loss does not weigh by them.
    """

    dataset: DataSet
    setup: Setup
    head: Head
    geometry: Geometry
    geometry_why: str
    labels: Labels
    network: NDArray[np.float32]
    faults: tuple[Fault, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    batch_size: int = 0
    parts: tuple[Part, ...] = ()
    picture: NDArray[np.int64] | None = None
    class_counts: tuple[int, ...] = ()

    @property
    def size_px(self) -> NDArray[np.float32]:
        """(N, 2) width and height of each box at the network input."""
        if self.parts:
            return self.network[:, 2:] * sides_px(self.parts, self.labels)
        height, width = self.head.imgsz
        return self.network[:, 2:] * np.asarray([width, height], dtype=np.float32)

    def views(self, profile: str, imgsz: tuple[int, int]) -> list[View]:
        """Head, labels and `network` of each part, or of the only one, for a release and an input size, height and width in px."""
        chosen, classes = replace(self.setup, profile=profile, imgsz=imgsz), self.head.num_classes
        if not self.parts:
            return [(chosen.head(classes), self.labels, at_network(self.labels, chosen.family, imgsz, self.geometry))]
        return views_of(self.labels, chosen.family, imgsz, self.geometry, arranged(chosen, self.labels, self.batch_size, classes)[2])

    def seen(self) -> Iterator[tuple[int, Head, Labels, NDArray[np.float32]]]:
        """First row, head, labels and `network` of each part, or of the only one."""
        if not self.parts:
            yield 0, self.head, self.labels, self.network
        for part in self.parts:
            yield part.rows(self.labels).start, part.head, part.of(self.labels), self.network[part.rows(self.labels)]

    def whole(self) -> Scene:
        """The scene with each picture alone at the full input size: what AutoAnchor looks at."""
        if not self.parts:
            return self
        return replace(self, network=at_network(self.labels, self.setup.family, self.head.imgsz, self.geometry), parts=())

    def only(self, splits: Sequence[str]) -> Scene:
        """The images of some splits and their boxes."""
        old = self.labels
        chosen = [number for number, split in enumerate(old.images.split) if split in splits]
        if len(chosen) == len(old.images):
            return self
        place = np.full(len(old.images), -1, dtype=np.int64)
        place[chosen] = np.arange(len(chosen))
        keep = place[old.image] >= 0
        images = old.images.take(np.asarray(chosen, dtype=np.int64))
        labels = Labels(place[old.image[keep]], old.cls[keep], old.boxes[keep], old.line[keep], images, old.names)
        parts, picture = chosen_parts(self.parts, place), self.picture[chosen] if self.picture is not None else None
        return replace(self, labels=labels, network=self.network[keep], parts=parts, picture=picture)

    def without(self, rows: Sequence[int], faults: Sequence[Fault], rule: str) -> Scene:
        """The scene without some boxes, the faults that say why, and the rule that cost them."""
        if not len(rows):
            return self
        keep = np.ones(len(self.labels), dtype=bool)
        keep[list(rows)] = False
        old = self.labels
        labels = replace(old, image=old.image[keep], cls=old.cls[keep], boxes=old.boxes[keep], line=old.line[keep])
        left_out = {**self.left_out, rule: len(rows)}
        return replace(self, labels=labels, network=self.network[keep], faults=(*self.faults, *faults), left_out=left_out)


def stage(request: Request, chosen: Setup, read: Read = load) -> Scene:
    """Everything before the assignment. read: what reads the data set."""
    if request.geometry is not None and request.geometry not in GEOMETRIES:
        raise DetlossError("unknown geometry", where=f"--geometry {request.geometry}", hint=f"one of {', '.join(GEOMETRIES)}")
    wanted = request.geometry in (None, "letterbox")
    dataset, faults = read(request, splits=asked_splits(request), loader=chosen.loader, sizes=wanted)
    scene = staged(request, chosen, dataset, faults)
    if not scene.class_counts or TRAIN in dataset.splits or TRAIN not in dataset.spec.splits:
        return scene
    trained, _ = read(request, splits=(TRAIN,), loader=chosen.loader, sizes=wanted)
    unread = (fault for fault in trained.faults if fault.kind in UNREAD_KINDS and fault not in scene.faults)
    counts = _class_counts(request, trained, scene.head.num_classes)
    return replace(scene, class_counts=counts, faults=(*scene.faults, *unread))


def staged(request: Request, chosen: Setup, dataset: DataSet, faults: tuple[Fault, ...]) -> Scene:
    """A data set that was read, in front of the head that was chosen. faults: of its data.yaml."""
    labels = dataset.labels
    known = labels.images.width > 0
    geometry, why = geometry_of(request.geometry, known, np.bincount(labels.image, minlength=len(known)) > 0)
    network = at_network(labels, chosen.family, chosen.imgsz, geometry)
    if request.command != "inspect anchors":
        from detloss_cli.anchor_choice import with_chosen_anchors  # who only reads labels does not wait for it

        own = network[_of_train(labels)] if TRAIN in labels.images.split else network
        chosen = with_chosen_anchors(request, chosen, own)
    head = chosen.head(max(1, dataset.num_classes))
    unread = (fault for fault in dataset.faults if fault.kind in UNREAD_KINDS)  # what a command is about is not whole then
    settings = (*faults, *chosen.faults, *model_faults(chosen.model, dataset.num_classes), *unread)
    counts: tuple[int, ...] = ()
    if request.command != "inspect anchors" and _weighs(chosen):
        counts = _class_counts(request, dataset, head.num_classes)
        if TRAIN not in dataset.spec.splits:
            settings = (*settings, Fault("switch-not-modelled", dataset.spec.path, None, None, "cls_pw", NO_TRAIN))
    scene = Scene(dataset, chosen, head, geometry, why, labels, network, settings, class_counts=counts)
    if chosen.rect and request.command != "inspect anchors" and not request.files:
        scene = _rectangular(request, scene)
    return scene.without(other_classes(scene.labels, request.classes), (), "class-not-chosen") if request.classes else scene


def _weighs(chosen: Setup) -> bool:
    """Whether the loss weighs the classes by how often they occur: asked with a set of one box."""
    weigh = getattr(chosen.family, "with_class_weights", None)
    return weigh is not None and weigh(chosen.hyp, (1,), chosen.profile) is not chosen.hyp


def _of_train(labels: Labels) -> NDArray[np.bool_]:
    """(N,) boxes of the training set."""
    return np.array([split == TRAIN for split in labels.images.split], dtype=bool)[labels.image]


def _class_counts(request: Request, dataset: DataSet, number: int) -> tuple[int, ...]:
    """(C,) boxes of each class in the training set; in what was read, where that is not among it. number: C."""
    labels = dataset.labels
    counted = (labels.cls >= 0) & (labels.cls < number)
    if TRAIN in dataset.splits:
        counted &= _of_train(labels)
    if request.classes:
        counted &= np.isin(labels.cls, list(request.classes))
    return tuple(np.bincount(labels.cls[counted], minlength=number).tolist())


def _rectangular(request: Request, scene: Scene) -> Scene:
    """The scene with its pictures by aspect, each in the shape of its batch; as it is, with the reason, where that cannot be."""
    odd = why_not(request, scene.head.imgsz, scene.geometry)
    if odd is not None:
        return replace(scene, faults=(*scene.faults, odd))
    size = request.batch_size
    labels, picture, parts = arranged(scene.setup, scene.labels, size, scene.head.num_classes)
    network = np.concatenate([boxes for *_, boxes in views_of(labels, scene.setup.family, scene.setup.imgsz, scene.geometry, parts)])
    return replace(scene, labels=labels, network=network, batch_size=size, parts=parts, picture=picture)


def data_facts(request: Request, dataset: DataSet) -> DataFacts:
    """Where the data stands."""
    spec = dataset.spec
    return DataFacts(spec.path, spec.root, {split: spec.splits[split] for split in dataset.splits})


def label_facts(dataset: DataSet, size_px: NDArray[np.float32], scene: Scene | None = None) -> LabelFacts:
    """What was read and what became of it.

    Args:
        size_px: (N, 2) sides of the kept boxes at the network input. scene: where the trainer leaves out boxes that the loader kept.
    """
    counts = dataset.counts
    labels, left_out = (scene.labels, scene.left_out) if scene is not None else (dataset.labels, {})
    gone = sum(left_out.values())
    return LabelFacts(
        images=counts.images,
        labelled=counts.labelled,
        background=counts.background,
        missing=counts.missing,
        skipped=counts.skipped,
        rows=counts.rows,
        boxes=counts.boxes,
        kept=counts.kept - gone,
        lost=LostRows(counts.lost_rows + gone, counts.lost_images, dict(sorted({**counts.lost_by_rule, **left_out}.items()))),
        classes=class_facts(labels, dataset.num_classes),
        sizes=size_classes(size_px.prod(axis=1)),
    )


def settings(request: Request, scene: Scene, *, device: str, dtype: str, head: str | None) -> Settings:
    """Every choice, with its origin."""
    chosen, dataset = scene.setup, scene.dataset
    origins = {
        **chosen.origins,
        "geometry": scene.geometry_why,
        "num_classes": dataset.names_source,
        "batch_size": request.origins.get("batch_size") or ("--batch-size" if request.batch_size != 16 else "default"),
        "device": "as found" if request.device == "auto" else "--device",
    }
    return Settings(
        family=chosen.family.ID,
        profile=chosen.profile,
        loader=chosen.loader,
        model=chosen.model.spec.name,
        imgsz=chosen.imgsz,
        num_classes=dataset.num_classes,
        names_source=dataset.names_source,
        geometry=scene.geometry,
        batch_size=request.batch_size,
        device=device,
        dtype=dtype,
        seed=request.seed,
        head=head,
        preds=request.preds,
        hyp=chosen.hyp_file.path,
        gains="raw" if request.raw_gains else "as the trainer scales them",
        origins=origins,
        shapes=tuple(ShapeFacts(part.head.imgsz, -(-len(part.images) // request.batch_size), len(part.images)) for part in scene.parts),
    )
