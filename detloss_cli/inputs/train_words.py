"""The options that the trainers' command lines know: name, and how many words follow. Names alone; what they mean stands elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Arity = Literal["0", "1", "?", "+"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _table(flags: str, one: str, some: str, maybe: str) -> dict[str, Arity]:
    found: dict[str, Arity] = dict.fromkeys(flags.split(), "0")
    found |= dict.fromkeys(one.split(), "1")
    found |= dict.fromkeys(some.split(), "+")
    found |= dict.fromkeys(maybe.split(), "?")
    return found


_BOTH = "rect nosave noautoanchor image-weights multi-scale single-cls sync-bn exist-ok quad"
_VALUES = "weights cfg data hyp epochs batch-size bucket device workers project name label-smoothing entity bbox_interval artifact_alias"
YOLOV5 = _table(
    f"{_BOTH} noval noplots cos-lr ndjson-console ndjson-file adam linear-lr notest cache-images",
    f"{_VALUES} imgsz img img-size optimizer patience save-period save_period seed local_rank local-rank evolve_population resume_evolve",
    "freeze",
    "resume evolve cache upload_dataset",
)
YOLOV7 = _table(
    f"{_BOTH} notest evolve cache-images adam linear-lr upload_dataset v5-metric",
    f"{_VALUES} local_rank local-rank save_period",
    "img-size freeze",
    "resume",
)
# Options of the older releases, and the release that still had them.
RELEASE_OF = {"notest": "5.0", "cache-images": "5.0", "linear-lr": "6.0", "adam": "6.0"}
TABLES: Mapping[str, Mapping[str, Arity]] = {"yolov5": YOLOV5, "yolov7": YOLOV7}
# Of torchrun and `python -m torch.distributed.run`.
LAUNCHER = _table(
    "standalone use_env use-env no_python no-python run_path run-path",
    "nproc_per_node nproc-per-node nnodes node_rank node-rank master_addr master-addr master_port master-port rdzv_backend rdzv-backend"
    " rdzv_endpoint rdzv-endpoint rdzv_id rdzv-id rdzv_conf rdzv-conf max_restarts max-restarts start_method start-method"
    " role log_dir log-dir",
    "",
    "",
)
TASKS = ("detect", "segment", "classify", "pose", "obb")
MODES = ("train", "val", "predict", "export", "track", "benchmark")
ULTRALYTICS = _words("""
    task mode model data epochs time patience batch imgsz save save_period cache device workers project name exist_ok pretrained optimizer
    verbose seed deterministic single_cls rect cos_lr close_mosaic resume amp fraction profile freeze multi_scale compile overlap_mask
    mask_ratio dropout val split save_json save_hybrid conf iou max_det half dnn plots source vid_stride stream_buffer visualize augment
    agnostic_nms classes retina_masks embed show save_frames save_txt save_conf save_crop show_labels show_conf show_boxes line_width
    format keras optimize int8 dynamic simplify opset workspace nms nbs bgr cutmix copy_paste_mode auto_augment erasing crop_fraction cfg
    tracker save_dir pose kobj rle angle distill_model dis end2end box cls dfl cls_pw label_smoothing
    lr0 lrf momentum weight_decay warmup_epochs warmup_momentum warmup_bias_lr
    hsv_h hsv_s hsv_v degrees translate scale shear perspective flipud fliplr mosaic mixup copy_paste
""")
# Settings that a bare word switches on.
SWITCHES = _words("""
    save cache exist_ok pretrained verbose deterministic single_cls rect cos_lr resume amp profile multi_scale overlap_mask val save_json
    save_hybrid half dnn plots compile
""")
