"""From what a user asked for to what will be computed: family, profile, loader, head, hyp, each with the reason why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.head import Head, HeadSpec
from detloss_cli.inputs.limits import DEFAULT, Limits
from detloss_cli.inputs.loaders import LOADERS
from detloss_cli.inputs.mapper import Mapper, serial
from detloss_cli.inputs.nearest import nearest
from detloss_cli.inputs.scan import Scanner, scan

if TYPE_CHECKING:
    from detloss_cli.families.interface import Family
    from detloss_cli.inputs.cache import Cache
    from detloss_cli.inputs.fault import Fault
    from detloss_cli.inputs.hyp_yaml import HypFile
    from detloss_cli.inputs.model_yaml import ModelFile
    from detloss_cli.inputs.training import Training

# trainer -> family, profile, loader
TRAINERS: dict[str, tuple[str, str, str]] = {
    "yolov3-spp": ("yolov3-spp", "archive", "yolov3-spp"),
    "yolov5-4.0": ("yolov5", "4.0", "yolov5-4.0"),
    "yolov5-5.0": ("yolov5", "5.0", "yolov5-4.0"),
    "yolov5-6.0": ("yolov5", "6.0", "yolov5-4.0"),
    "yolov5-6.1": ("yolov5", "6.1", "yolov5-6.1"),
    "yolov5-7.0": ("yolov5", "7.0", "yolov5-7.0"),
    "yolov7": ("yolov7", "ota", "yolov7"),
    "ultralytics-8.1": ("yolov8", "8.1", "ultralytics-8.4"),
    "ultralytics-8.3": ("yolov8", "8.3.200", "ultralytics-8.4"),
    "ultralytics-8.4": ("yolov8", "8.4.190", "ultralytics-8.4"),
}

# family -> the loader of its latest release; for those without one of ours, strict. A test holds it against the families.
FAMILY_LOADERS: dict[str, str] = {
    "yolov5": "yolov5-7.0",
    "yolov3-spp": "yolov3-spp",
    "yolov7": "yolov7",
    "keras-yolo3": "keras-yolo3",
    "yolov8": "ultralytics-8.4",
}


@dataclass(frozen=True, slots=True)
class Request:
    """What a user asked for; None is what was left open. The fields are the options of the command line.

    each_box: what each box adds to the loss is wanted; where nobody asks for it, a pass over the boxes is saved.
    """

    command: str = "compute"
    data: tuple[str, ...] = ()
    split: str | None = None
    trainer: str | None = None
    family: str = "auto"
    profile: str | None = None
    loader: str | None = None
    model: str | None = None
    hyp: str | None = None
    imgsz: tuple[int, int] | None = None
    batch_size: int = 16
    device: str = "auto"
    seed: int = 0
    head: str = "prior"
    preds: str | None = None
    geometry: str | None = None
    raw_gains: bool = False
    names: str | None = None
    root: str | None = None
    image_sizes: str | None = None
    allow_outside: bool = False
    image: str | None = None
    by: str | None = None
    top: int | None = None
    each_box: bool = True
    what_if: tuple[str, ...] = ()
    overrides: Mapping[str, Any] = field(default_factory=dict)
    sets: tuple[str, ...] = ()
    cache: Cache | None = None
    mapper: Mapper = serial
    scanner: Scanner = scan
    limits: Limits = DEFAULT
    files: tuple[str, ...] = ()
    single_cls: bool = False
    classes: tuple[int, ...] = ()
    nc: int | None = None
    rect: bool = False
    anchors: str | None = None
    hyp_section: str | None = None
    training: Training | None = None
    origins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Setup:
    """What will be computed. hyp: the family's record as the file gives it. origins: setting -> why it is so. faults: of hyp and model.

    rect: rectangular batches are asked for, and the family's trainer forms them.
    """

    family: Family
    profile: str
    loader: str
    model: ModelFile
    hyp_file: HypFile
    hyp: Any
    imgsz: tuple[int, int]
    origins: dict[str, str]
    faults: tuple[Fault, ...]
    rect: bool = False

    def head(self, num_classes: int) -> Head:
        """The head at this input size, levels in the order in which the family feeds them to its loss."""
        spec = self.model.spec
        if getattr(self.family, "COARSE_FIRST", False) != (list(spec.strides) == sorted(spec.strides, reverse=True)):
            anchors = spec.anchors[::-1] if spec.anchors is not None else None
            spec = replace(spec, strides=spec.strides[::-1], anchors=anchors)
        head = spec.at(self.imgsz, num_classes)
        outputs = getattr(self.family, "outputs", None)  # families whose profiles differ in the maps that their loss sees
        return outputs(head, self.profile) if outputs else head


def choose_family(request: Request, spec: HeadSpec | None, keys: Mapping[str, Any]) -> tuple[str, str | None, str]:
    """Family, profile if the choice says one, and why. An option wins, then the model's name, then keys of the hyp file."""
    if request.trainer is not None:
        if request.trainer not in TRAINERS:
            raise DetlossError("unknown trainer", where=f"--trainer {request.trainer}", hint=_mean(request.trainer, TRAINERS))
        family, profile, _ = TRAINERS[request.trainer]
        return family, profile, f"--trainer {request.trainer}"
    if request.family != "auto":
        return request.family, None, "--family"
    if spec is not None and spec.family is not None:
        old = spec.family == "yolov5" and "giou" in keys and "box" not in keys
        return spec.family, "3.0" if old else None, f"model {spec.name}{', hyp key giou' if old else ''}"
    if "loss_ota" in keys:
        return "yolov7", None, "hyp key loss_ota"
    if "dfl" in keys:
        return "yolov8", None, "hyp key dfl"
    if "giou" in keys:
        return ("yolov5", "3.0", "hyp keys giou and anchor_t") if "anchor_t" in keys else ("yolov3-spp", None, "hyp key giou")
    return "yolov5", None, "default"


def setup(request: Request) -> Setup:
    """Every choice, made in one place.

    Raises:
        DetlossError: an option names something that does not exist, or two of them contradict each other.
    """
    from detloss_cli import families
    from detloss_cli.families.head_kind import refuse_other_heads
    from detloss_cli.families.hyp import hyp_keys
    from detloss_cli.inputs.hyp_yaml import read_hyp, to_record
    from detloss_cli.inputs.model_yaml import read_model_file
    from detloss_cli.inputs.training import training_faults
    from detloss_cli.said_keys import said_keys

    faults: list[Fault] = []
    model = read_model_file(request.model, request.limits) if request.model is not None else None
    file = read_hyp(request.hyp, request.hyp_section, request.limits) if request.hyp is not None else None
    name, profile, why = choose_family(request, model.spec if model else None, file.values if file else {})
    family = families.load(name)
    origins = {"family": why}
    origins["model"] = "--model" if model else "default"
    model = model or read_model_file(family.MODEL)
    refuse_other_heads(family, model.spec)
    faults.extend(model.faults)
    if file is None:
        file = read_hyp(family.HYP)
    origins["hyp"] = "--hyp" if request.hyp is not None else "default"
    chosen = _profile(request, family, profile, origins)
    aliases = {"giou": "box"} if name == "yolov5" and chosen in ("1.0", "2.0", "3.0") else {}
    record: Any
    record, found = to_record(file, hyp_keys(family.Hyp), family.Hyp, aliases)
    faults.extend((*file.faults, *found))
    said = said_keys(request.sets, name, chosen, hyp_keys(family.Hyp), aliases)
    overrides = {key: value for key, value in request.overrides.items() if key not in said}
    origins.update({key: f"--{key.replace('_', '-')} {value:g}" for key, value in overrides.items()})
    origins.update({key: f"{key}={value}" for key, value in said.items()})
    return Setup(
        family=family,
        profile=chosen,
        loader=_loader(request, family, chosen, origins),
        model=model,
        hyp_file=file,
        hyp=replace(_switched(_as_trained(record, name), overrides, family, chosen), **said),
        imgsz=_imgsz(request, family, model.spec, origins),
        origins=_as_said(origins, {key: why for key, why in request.origins.items() if key not in said}, overrides),
        faults=(*faults, *training_faults(request.training, rect=request.rect, formed=getattr(family, "RECT", False))),
        rect=request.rect and getattr(family, "RECT", False),
    )


def _as_said(origins: dict[str, str], said: Mapping[str, str], overrides: Mapping[str, Any]) -> dict[str, str]:
    """The origins with the files of a run in place of the options that they stand for; what was rounded or overwritten stays said."""
    switches = {key: f"{origins[key]} ({source})" for key, source in said.items() if key in overrides}
    size = origins["imgsz"].removeprefix("--imgsz")
    return {**origins, **said, **switches, **({"imgsz": said["imgsz"] + size} if "imgsz" in said else {})}


def _as_trained(record: Any, family: str) -> Any:
    """The record without what the trainer overwrites from its command line: `--label-smoothing`, 0 unless it is given."""
    from detloss_cli.checks.hyp_facts import FACTS, NO_FACTS

    defaults = type(record)()
    return replace(record, **{key: getattr(defaults, key) for key in FACTS.get(family, NO_FACTS).overwritten if hasattr(record, key)})


def _switched(record: Any, overrides: Mapping[str, Any], family: Family, profile: str) -> Any:
    from detloss_cli.checks.hyp_facts import dead_of

    dead = dead_of(family.ID, profile)
    for key in overrides:
        option = f"--{key.replace('_', '-')}"
        if key in dead:
            raise DetlossError(
                f"{family.ID} {profile} has no such switch: {dead[key]}", where=option, hint="leave it out, or take --profile"
            )
        if not hasattr(record, key):
            raise DetlossError(f"{family.ID} has no such switch", where=option, hint="leave it out for this family")
    return replace(record, **overrides)


def _profile(request: Request, family: Family, said: str | None, origins: dict[str, str]) -> str:
    names = list(family.PROFILES)
    chosen = request.profile or said or names[-1]
    origins["profile"] = "--profile" if request.profile else origins["family"] if said else "latest"
    if chosen not in family.PROFILES:
        hint = f"with --family {' or '.join(owners)}" if (owners := _families_with(chosen)) else _mean(chosen, names)
        raise DetlossError(f"{family.ID} has no profile of that name", where=f"--profile {chosen}", hint=hint)
    return chosen


def _families_with(profile: str) -> list[str]:
    """The families that have a release of this name."""
    from detloss_cli import families

    return [name for name in families.MODULES if profile in families.load(name).PROFILES]


def loader_of(family: str, profile: str | None) -> str:
    """The loader of a release, that of the latest one where none is named."""
    if family == "yolov5" and profile in ("1.0", "2.0", "3.0", "3.1"):
        return "yolov3-spp"  # the same code, before polygons and before repeats mattered
    known = {(one, release): loader for one, release, loader in TRAINERS.values()}
    return known.get((family, profile or ""), FAMILY_LOADERS.get(family, "strict"))


def label_loader(request: Request) -> tuple[str, str, str]:
    """Loader, family and why, for labels alone: strict, unless an option speaks of a family. No family is imported."""
    if request.loader is not None and request.loader != "all":
        return request.loader, "", request.origins.get("loader", "--loader")
    if request.family == "auto" and not (request.trainer or request.model or request.hyp):
        return "strict", "", "no family is named"
    from detloss_cli.inputs.hyp_yaml import read_hyp
    from detloss_cli.inputs.model_yaml import read_model_file

    model = read_model_file(request.model, request.limits) if request.model is not None else None
    keys = read_hyp(request.hyp, limits=request.limits).values if request.hyp is not None else {}
    family, profile, why = choose_family(request, model.spec if model else None, keys)
    if request.trainer is not None:
        return TRAINERS[request.trainer][2], family, why
    return loader_of(family, request.profile or profile), family, why


def _loader(request: Request, family: Family, chosen_profile: str, origins: dict[str, str]) -> str:
    said = TRAINERS[request.trainer][2] if request.trainer in TRAINERS else None
    chosen = request.loader or said or loader_of(family.ID, chosen_profile)
    origins["loader"] = "--loader" if request.loader else f"--trainer {request.trainer}" if said else "family"
    if chosen not in LOADERS:
        raise DetlossError("unknown loader", where=f"--loader {chosen}", hint=_mean(chosen, LOADERS))
    return chosen


def _imgsz(request: Request, family: Family, spec: HeadSpec, origins: dict[str, str]) -> tuple[int, int]:
    height, width = request.imgsz or (family.IMGSZ, family.IMGSZ)
    origins["imgsz"] = "--imgsz" if request.imgsz else "family"
    step = getattr(family, "DIVISOR", max(spec.strides))  # what the trainer rounds the input up to
    rounded = (-(-height // step) * step, -(-width // step) * step)
    if rounded != (height, width):
        origins["imgsz"] += f", {height}x{width} rounded up to a multiple of {step}"
    return rounded


def _mean(word: str, known: Any) -> str:
    near = nearest(word, list(known))
    return f"did you mean {near}?" if near else f"one of {', '.join(known)}"
