"""Record what a training loop hands to its loss, for `detloss compute --preds dumps/`. One file, Python >= 3.8, torch >= 1.8: copy it.

    from detloss_tap import tap, ultralytics_callback

    compute_loss = tap(compute_loss, out="dumps/", every=100, limit=8)               # yolov5, yolov7, yolov3-spp: after it was made
    model.add_callback("on_train_start", ultralytics_callback(out="dumps/"))         # ultralytics: before model.train(...)
    loss = tap(CtdetLoss(opt), out="dumps/")                                         # CenterNet: in _get_losses

    python detloss_tap.py dump best.pt --data data.yaml --split val                  # a checkpoint, in the environment that trained it

It never changes a tensor, never stops a training: an error of its own becomes one warning, and it records no more.
"""

from __future__ import annotations

import argparse
import copy
import ctypes
import json
import math
import os
import sys
import types
import warnings
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import torch

FORMAT = "detloss/1"
TYPES = {torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32", torch.float64: "F64"}
SPIKE, WARM = 3.0, 20  # a total so many times the running mean, once that has seen so many steps
CENTERNET = ("hm_loss", "wh_loss", "off_loss")
UNSCALED = ("yolov3-spp", "centernet")  # whose loss is not multiplied by the batch
ULTRALYTICS = {"v8DetectionLoss", "E2EDetectLoss", "E2ELoss"}
Words = Union[str, Sequence[str]]
Level = Dict[str, Any]  # name, stride, anchors in pixels, and its output (B, A, H, W, C) under "tensor"
Parts = Tuple[Dict[str, Any], List[Level], torch.Tensor]  # what a dump says, its levels, its targets


def tap(loss: Any, out: str = "dumps", every: Optional[int] = None, limit: int = 8, when: Words = (), **known: Any) -> Tap:
    """The same loss, which writes what it is given now and then.

    Args:
        loss: what the training loop calls. out: folder for the files. every: each so many steps; 100 if `when` is not given either.
        limit: most files of this process. when: "nonfinite" or "spike", or both. known: family, profile, strides, imgsz where they
        cannot be told from the loss.
    """
    triggers = (when,) if isinstance(when, str) else tuple(when)
    return Tap(loss, out, every if every or triggers else 100, limit, triggers, known)


def ultralytics_callback(out: str = "dumps", **options: Any) -> Callable[[Any], None]:
    """A callback for "on_train_start" that puts a tap around the criterion of the model."""

    def on_train_start(trainer: Any) -> None:
        model = getattr(trainer.model, "module", trainer.model)
        if getattr(model, "criterion", None) is None:
            model.criterion = model.init_criterion()
        if not isinstance(model.criterion, Tap):
            model.criterion = tap(model.criterion, out, **options)
            model.criterion._own["epoch"] = lambda: trainer.epoch

    return on_train_start


class Tap:
    """A loss that records. Every attribute but `batch` is that of the loss."""

    def __init__(self, loss: Any, out: str, every: Optional[int], limit: int, when: Tuple[str, ...], known: Dict[str, Any]) -> None:
        own = {"out": out, "every": every, "left": limit, "when": when, "known": known, "step": 0, "mean": 0.0, "paths": None}
        object.__setattr__(self, "_own", own)
        object.__setattr__(self, "_loss", loss)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        own = self._own
        balance = getattr(self._loss, "balance", None) if own["left"] else None
        before = list(balance) if isinstance(balance, (list, tuple)) else None  # autobalance moves it during the call
        result = self._loss(*args, **kwargs)
        step, own["step"] = own["step"], own["step"] + 1
        if own["left"] > 0:
            try:
                trigger = _trigger(own, step, result)
                if trigger:
                    own["left"] -= 1
                    caller = sys._getframe(1).f_locals
                    _write(own, _describe(self._loss, args, result, before, own, caller, step, trigger))
            except Exception as error:
                own["left"] = 0
                warnings.warn("detloss_tap records no more: {}: {}".format(type(error).__name__, error), stacklevel=2)
            own["paths"] = None
        return result

    def batch(self, paths: Sequence[str]) -> None:
        """The pictures of the next batch, in order."""
        self._own["paths"] = [str(path) for path in paths]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_loss", "_own"):
            raise AttributeError(name)
        return getattr(self._loss, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._loss, name, value)

    def __deepcopy__(self, memo: Dict[int, Any]) -> Any:
        """The loss alone: a copy of a model, such as its moving average, does not write."""
        return copy.deepcopy(self._loss, memo)

    def __reduce__(self) -> Any:
        """A checkpoint holds the loss alone."""
        return copy.copy, (self._loss,)  # a function that is there wherever the checkpoint is read


def _trigger(own: Dict[str, Any], step: int, result: Any) -> Optional[str]:
    """Why this step is written, None if it is not. Idle steps without `when` cost one comparison."""
    if own["every"] and step % own["every"] == 0:
        return str(own.get("why", "every"))
    if not own["when"]:
        return None
    total = sum(_numbers(_returned(result)[0]))
    if not math.isfinite(total):
        return "nonfinite" if "nonfinite" in own["when"] else None
    spiked = "spike" in own["when"] and step >= WARM and total > SPIKE * own["mean"]
    own["mean"] += (total - own["mean"]) / min(step + 1, 100)
    return "spike" if spiked else None


def _returned(result: Any) -> Tuple[Any, Any]:
    """The value for backward, and the items that the trainer prints."""
    if isinstance(result, dict):
        return list(result.values()), result
    return (result[0], result[1]) if isinstance(result, (tuple, list)) else (result, result)


def _numbers(value: Any) -> List[float]:
    """Any mixture of tensors, numbers and lists of them as plain floats."""
    if isinstance(value, torch.Tensor):
        return [float(one) for one in value.detach().flatten().tolist()]
    if isinstance(value, dict):
        return _numbers(list(value.values()))
    return [one for part in value for one in _numbers(part)] if isinstance(value, (list, tuple)) else [float(value)]


def _said(value: Any) -> List[Union[float, str]]:
    """`_numbers`, with what JSON does not know as text."""
    return [one if math.isfinite(one) else str(one) for one in _numbers(value)]


def _describe(loss: Any, args: Any, result: Any, balance: Any, own: Dict[str, Any], caller: Dict[str, Any], step: int, why: str) -> Parts:
    """Everything that a dump says, its levels, and its targets: rows of image, class, cx, cy, w, h in 0..1."""
    known, names = own["known"], {kind.__name__ for kind in type(loss).__mro__}
    batch = args[1] if len(args) > 1 and isinstance(args[1], dict) and "bboxes" in args[1] else None
    of_ultralytics = batch is not None or bool(names & ULTRALYTICS)
    if isinstance(args[1], dict) and "reg_mask" in args[1]:
        about, levels, targets = _centernet(loss.opt, args[0], args[1])
    else:
        about, levels, targets = _ultralytics(loss, args[0], batch or {}) if of_ultralytics else _grid(loss, args, names, caller, known)
    first, paths = levels[0]["tensor"], own["paths"] or (batch or caller).get("im_file" if of_ultralytics else "paths")
    family = known.get("family") or about["family"]
    imgsz = known.get("imgsz") or [first.shape[2] * levels[0]["stride"], first.shape[3] * levels[0]["stride"]]
    epoch = own["epoch"]() if "epoch" in own else caller.get("epoch")
    returned, items = _returned(result)
    named = [name for name in items if family != "centernet" or name in CENTERNET] if isinstance(items, dict) else []
    said = [items[name] for name in named] if named else items
    mosaic = float(about["hyp"].pop("mosaic", 0.0) or 0.0) if not own["paths"] else 0.0
    about.update(
        {
            "family": family,
            "profile": known.get("profile") or about.get("profile"),
            "imgsz": [int(imgsz), int(imgsz)] if isinstance(imgsz, (int, float)) else [int(side) for side in imgsz],
            "images": int(first.shape[0]),
            "balance": [float(one) for one in balance] if balance is not None else None,
            "loss": {"returned": _said(returned), "items": _said(said), "names": named, "times_batch": family not in UNSCALED},
            "paths": [str(path) for path in paths] if isinstance(paths, (list, tuple)) and len(paths) == first.shape[0] else None,
            "paths_are": "first of a mosaic" if mosaic > 0 else "picture",
            "step": step,
            "epoch": epoch if isinstance(epoch, int) else None,
            "rank": _rank(),
            "trigger": why,
            "versions": {"torch": str(torch.__version__), "python": sys.version.split()[0], "trainer": about.pop("version", None)},
        }
    )
    return about, levels, targets.detach() if targets.dtype == torch.float64 else targets.detach().float()


def _grid(loss: Any, args: Tuple[Any, ...], names: Any, caller: Dict[str, Any], known: Dict[str, Any]) -> Parts:
    """yolov5, yolov7, yolov3-spp: outputs (B, A, H, W, C) as they are."""
    outputs, targets = args[0], args[1]
    model = getattr(args[2], "module", args[2]) if len(args) > 2 and not isinstance(args[2], torch.Tensor) else None
    owner = loss if model is None else model
    hyp = {key: value for key, value in dict(owner.hyp).items() if isinstance(value, (int, float))}
    family, profile = _family(loss, names, model, hyp)
    if model is None:
        anchors, strides = list(loss.anchors), getattr(loss, "stride", None)
    elif hasattr(model, "yolo_layers"):
        parts = [model.module_list[index] for index in model.yolo_layers]
        anchors, strides = [part.anchor_vec for part in parts], [part.stride for part in parts]
    else:
        anchors, strides = list(model.model[-1].anchors), model.model[-1].stride
    count, how = len(anchors), "loss"
    pictures = next((one for one in [*args[2:3], *map(caller.get, ("imgs", "images", "im"))] if isinstance(one, torch.Tensor)), None)
    if known.get("strides"):
        strides, how = known["strides"], "caller"
    elif strides is None and pictures is not None and pictures.dim() == 4:
        strides, how = [pictures.shape[2] / part.shape[2] for part in outputs[:count]], "pictures"
    elif strides is None:  # three or four levels start at 8 in every released model but those with a P2
        strides, how = [8 * outputs[0].shape[2] / part.shape[2] for part in outputs[:count]], "assumed"
    levels = []
    for index, part in enumerate(outputs):
        stride = round(float(strides[index % count]))
        name = "P{}{}".format(stride.bit_length() - 1, " aux" if index >= count else "")
        levels.append(_level(name, stride, [[float(side) * stride for side in one] for one in anchors[index % count]], part))
    hyp["gr"] = float(getattr(owner, "gr", 1.0))
    for key in ("autobalance", "sort_obj_iou"):
        hyp[key] = bool(getattr(loss, key, False))
    if hasattr(loss, "cn"):
        hyp["label_smoothing"] = 2 * float(loss.cn)
    about = {"family": family, "profile": profile, "hyp": hyp, "num_classes": int(outputs[0].shape[-1]) - 5, "strides_from": how}
    return about, levels, targets


def _family(loss: Any, names: Any, model: Any, hyp: Dict[str, Any]) -> Tuple[str, Optional[str]]:
    if model is not None:
        if "giou" in hyp and "anchor_t" not in hyp:
            return "yolov3-spp", "wzm" if "wzm" in str(getattr(loss, "__module__", "")) else None
        return "yolov5", "3.0" if "giou" in hyp else "3.1"
    if any("OTA" in name for name in names):
        return "yolov7", "aux" if any("Aux" in name for name in names) else "ota"
    if hasattr(sys.modules.get(type(loss).__module__), "ComputeLossOTA"):
        return "yolov7", "plain"
    return "yolov5", "7.0" if hasattr(type(loss), "sort_obj_iou") else "6.1" if hasattr(loss, "sort_obj_iou") else None


def _ultralytics(loss: Any, outputs: Any, batch: Dict[str, Any]) -> Parts:
    """Detection heads of ultralytics: maps, or boxes and scores in one row of cells; end-to-end heads have two branches."""
    outputs = outputs[1] if isinstance(outputs, tuple) else outputs
    main = getattr(loss, "one2many", loss)
    ends = isinstance(outputs, dict) and "one2many" in outputs
    strides, levels = [int(one) for one in main.stride], []
    for suffix, branch in (("", outputs["one2many"]), (" 1:1", outputs["one2one"])) if ends else (("", outputs),):
        for stride, part in zip(strides, _maps(branch)):
            levels.append(_level("P{}{}".format(stride.bit_length() - 1, suffix), stride, [], part))
    assigner, weights = main.assigner, getattr(main, "class_weights", None)
    hyp: Dict[str, Any] = {
        key: float(getattr(main.hyp, key)) for key in ("box", "cls", "dfl", "cls_pw", "mosaic") if hasattr(main.hyp, key)
    }
    hyp.update({"topk": assigner.topk, "alpha": float(assigner.alpha), "beta": float(assigner.beta)})
    hyp["kept"] = getattr(assigner, "topk2", None) or assigner.topk
    hyp["class_weights"] = _numbers(weights) if weights is not None else None
    hyp["one_to_many"] = float(loss.o2m) if hasattr(loss, "o2m") else None
    about = {"family": "yolov8", "hyp": hyp, "num_classes": int(main.nc), "reg_max": int(main.reg_max), "end2end": ends}
    about["version"] = getattr(sys.modules.get("ultralytics"), "__version__", None)
    rows = [batch["batch_idx"].view(-1, 1), batch["cls"].view(-1, 1), batch["bboxes"].view(-1, 4)]
    return about, levels, torch.cat([row.to(rows[2].device).float() for row in rows], 1)


def _centernet(opt: Any, outputs: Any, batch: Dict[str, Any]) -> Parts:
    """CenterNet: size, offset and heat map of each stack; boxes as they come back from the targets of their cells, in float64."""
    if opt.mse_loss or opt.dense_wh or opt.cat_spec_wh or "reg" not in outputs[0]:
        raise ValueError("of CenterNet, only a focal heat map with one size and offset a cell can be recorded")
    levels, stride = [], int(opt.down_ratio)
    for index, part in enumerate(outputs, 1):
        heat = torch.logit(part["hm"].detach().float(), 1e-4)  # the loss has put a sigmoid, clamped so far, in place of the logits
        maps = torch.cat([part["wh"].detach().float(), part["reg"].detach().float(), heat], 1).permute(0, 2, 3, 1).unsqueeze(1)
        maps = maps.to(part["wh"].dtype)  # the file says in which precision the trainer added up
        name = "stack{}".format(index) if len(outputs) > 1 else "P{}".format(stride.bit_length() - 1)
        levels.append(_level(name, stride, [], maps))
    image, at = batch["reg_mask"].nonzero(as_tuple=True)
    (rows, cols), cell = batch["hm"].shape[2:], batch["ind"][image, at]
    row, col = torch.div(cell, cols, rounding_mode="floor"), cell % cols
    offset = batch["reg"][image, at].double()
    offset = torch.where(offset < 2e-5, offset + 2e-5, offset)  # so that rounding does not move a centre over the edge of its cell
    centre, map_size = torch.stack([col, row], 1) + offset, offset.new_tensor([cols, rows])
    heat, size = batch["hm"], batch["wh"][image, at].double()
    sure = torch.nn.functional.avg_pool2d(heat, 7, 1, 3)[image, :, row, col].masked_fill(heat[image, :, row, col] != 1, -1.0)
    same, area, order = (image[:, None] == image) & (cell[:, None] == cell), size.prod(1), torch.arange(len(cell), device=cell.device)
    larger = same & ((area > area[:, None]) | ((area == area[:, None]) & (order < order[:, None])))
    rank = torch.minimum(larger.sum(1), (sure >= 0).sum(1) - 1)  # of classes in one cell, the widest heat is the largest box's
    cls = sure.argsort(1, descending=True).gather(1, rank[:, None])
    hyp = {key: float(getattr(opt, key)) for key in ("hm_weight", "wh_weight", "off_weight")}
    hyp.update({"reg_loss": opt.reg_loss, "norm_wh": bool(opt.norm_wh), "max_objs": int(batch["ind"].shape[1])})
    about = {"family": "centernet", "profile": "xingyizhou", "hyp": hyp, "num_classes": int(batch["hm"].shape[1])}
    return about, levels, torch.cat([image.double()[:, None], cls.double(), centre / map_size, size / map_size], 1)


def _maps(branch: Any) -> Iterator[torch.Tensor]:
    """(B, 1, H, W, C) of each level."""
    if not isinstance(branch, dict):
        for part in branch:
            yield part.permute(0, 2, 3, 1).unsqueeze(1)
        return
    flat, start = torch.cat([branch["boxes"], branch["scores"]], 1), 0
    for part in branch["feats"]:
        rows, cols = part.shape[2:]
        cells = flat[:, :, start : start + rows * cols]
        yield cells.view(flat.shape[0], -1, rows, cols).permute(0, 2, 3, 1).unsqueeze(1)
        start += rows * cols


def _level(name: str, stride: int, anchors: List[List[float]], tensor: torch.Tensor) -> Level:
    key = "".join(one if one.isalnum() else "_" for one in name.lower())
    return {"key": key, "name": name, "stride": stride, "anchors": anchors, "tensor": tensor.detach()}


def _rank() -> int:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return int(torch.distributed.get_rank())
    return int(os.environ.get("RANK", "0") or 0)


def _write(own: Dict[str, Any], parts: Parts) -> None:
    """One safetensors file, complete or not there at all."""
    about, levels, targets = parts
    tensors = {"targets": targets, **{level["key"]: level["tensor"] for level in levels}}
    about["levels"] = [{key: value for key, value in level.items() if key != "tensor"} for level in levels]
    stored = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    header: Dict[str, Any] = {"__metadata__": {"format": FORMAT, "about": json.dumps(about)}}
    end = 0
    for name, tensor in stored.items():
        start, end = end, end + tensor.numel() * tensor.element_size()
        header[name] = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    os.makedirs(own["out"], exist_ok=True)
    stem = os.path.join(own["out"], "step{:06d}-rank{}".format(about["step"], about["rank"]))
    path, again = stem + ".safetensors", 1
    while os.path.exists(path):
        path, again = "{}-{}.safetensors".format(stem, again), again + 1
    with open(path + ".part", "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in stored.values():
            if tensor.numel():
                file.write((ctypes.c_char * (tensor.numel() * tensor.element_size())).from_address(tensor.data_ptr()))
    os.replace(path + ".part", path)


def dump(weights: str, data: str, split: str, out: str, imgsz: int, batch_size: int, limit: Optional[int], device: str) -> int:
    """Write the head outputs of a checkpoint for the pictures of a split, un-augmented, in file order; returns how many pictures.

    Raises:
        FileNotFoundError: the split has no pictures.
    """
    sys.path.insert(0, os.getcwd())  # yolov5 and yolov7 unpickle their own modules, which lie in their checkout
    where = torch.device(device)
    model, loss = _checkpoint(weights, where)
    paths = _pictures(data, split)[:limit]
    if not paths:
        raise FileNotFoundError("no pictures for {} in {}".format(split, data))
    recorder = tap(loss, out, every=1, limit=len(paths))
    recorder._own["why"] = "checkpoint"
    for start in range(0, len(paths), batch_size):
        some = paths[start : start + batch_size]
        loaded = [_letterboxed(path, imgsz) for path in some]
        imgs = torch.stack([picture for picture, _ in loaded]).to(where)
        numbered = [torch.cat([torch.full((len(rows), 1), float(index)), rows], 1) for index, (_, rows) in enumerate(loaded)]
        targets = torch.cat(numbered).to(where)
        with torch.no_grad():
            outputs = model(imgs)
        outputs = outputs[1] if isinstance(outputs, tuple) else outputs
        recorder.batch(some)
        if {kind.__name__ for kind in type(loss).__mro__} & ULTRALYTICS:
            recorder(outputs, {"batch_idx": targets[:, 0], "cls": targets[:, 1:2], "bboxes": targets[:, 2:], "img": imgs})
        else:
            recorder(outputs, targets, *([imgs] if "OTA" in type(loss).__name__ else []))
    return len(paths)


def _checkpoint(weights: str, where: torch.device) -> Tuple[Any, Any]:
    """Model and loss of a checkpoint of ultralytics, or of the checkout that is the working folder. Runs the code that it holds."""
    if not os.path.exists(os.path.join("utils", "loss.py")):
        from ultralytics import YOLO  # type: ignore[import-not-found,unused-ignore]

        model = YOLO(weights).model.float().to(where).eval()
        if isinstance(model.args, dict):
            model.args = types.SimpleNamespace(**model.args)
        return model, model.init_criterion()
    from utils import loss as losses  # type: ignore[import-not-found,unused-ignore]

    try:
        held = torch.load(weights, map_location=where, weights_only=False)
    except TypeError:  # torch before 1.13
        held = torch.load(weights, map_location=where)
    model = (held.get("ema") or held["model"]).float().to(where).eval()
    name = "ComputeLossOTA" if hasattr(losses, "ComputeLossOTA") and model.hyp.get("loss_ota", 1) else "ComputeLoss"
    return model, getattr(losses, name)(model)


def _pictures(data: str, split: str) -> List[str]:
    """Pictures of a split of a data.yaml, in the order of their names."""
    import yaml

    with open(data, encoding="utf-8") as file:
        spec = yaml.safe_load(file)
    root = os.path.join(os.path.dirname(os.path.abspath(data)), str(spec.get("path") or ""))
    places = spec[split] if isinstance(spec[split], list) else [spec[split]]
    found: List[str] = []
    for place in (os.path.join(root, str(place)) for place in places):
        if os.path.isdir(place):
            found += [os.path.join(folder, name) for folder, _, names in os.walk(place) for name in names]
        else:
            with open(place, encoding="utf-8") as file:
                found += [os.path.join(os.path.dirname(place), line.strip()) for line in file if line.strip()]
    return sorted(one for one in found if one.lower().endswith((".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")))


def _letterboxed(path: str, side: int) -> Tuple[torch.Tensor, torch.Tensor]:
    """(3, side, side) in 0..1, grey around the picture; (N, 5) rows of class, cx, cy, w, h in 0..1 of that square."""
    import numpy
    from PIL import Image, ImageOps

    with Image.open(path) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    scale = side / max(picture.size)
    width, height = (max(1, round(one * scale)) for one in picture.size)
    left, top = (side - width) // 2, (side - height) // 2
    canvas = Image.new("RGB", (side, side), (114, 114, 114))
    canvas.paste(picture.resize((width, height), 2), (left, top))
    pixels = torch.from_numpy(numpy.array(canvas)).permute(2, 0, 1).float() / 255
    before, inside, after = os.path.splitext(path)[0].rpartition(os.sep + "images" + os.sep)
    label = before + os.sep + "labels" + os.sep + after + ".txt" if inside else os.path.splitext(path)[0] + ".txt"
    rows: List[List[float]] = []
    if os.path.exists(label):
        with open(label, encoding="utf-8") as file:
            rows = [[float(word) for word in line.split()[:5]] for line in file if len(line.split()) == 5]
    boxes = torch.tensor(rows, dtype=torch.float32).view(-1, 5)
    scaled = boxes * torch.tensor([1.0, width / side, height / side, width / side, height / side])
    return pixels, scaled + torch.tensor([0.0, left / side, top / side, 0.0, 0.0])


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """`dump WEIGHTS --data data.yaml`."""
    parser = argparse.ArgumentParser(prog="detloss_tap.py", description="Write head outputs for `detloss compute --preds`.")
    command = parser.add_subparsers(dest="command", required=True).add_parser(
        "dump", help="of a checkpoint, in the environment that trained it; runs the code it holds, so take only your own"
    )
    command.add_argument("weights")
    command.add_argument("--data", required=True)
    for name, default in (("split", "val"), ("out", "dumps"), ("imgsz", 640), ("batch-size", 16), ("device", str(torch.empty(0).device))):
        command.add_argument("--" + name, default=default, type=type(default))
    command.add_argument("--limit", type=int, help="most pictures")
    given = vars(parser.parse_args(arguments))
    given.pop("command")
    count = dump(**given)
    sys.stderr.write("{} pictures written to {}\n".format(count, given["out"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
