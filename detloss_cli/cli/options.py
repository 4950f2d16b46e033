"""The options that commands share, once."""

from __future__ import annotations

from typing import Annotated

import typer

# Panels of the help page.
DATA = "Data"
TRAIN = "Training"
OUT = "Output"

Data = Annotated[
    list[str] | None,
    typer.Argument(metavar="DATA", help="data.yaml, folder of labels, .txt list or COCO .json.", show_default=False),
]
DataOption = Annotated[list[str] | None, typer.Option("--data", metavar="DATA", help="The same as the argument.", rich_help_panel=DATA)]
Split = Annotated[str | None, typer.Option("--split", metavar="NAME", help="Which split: train, val, test, all.", rich_help_panel=DATA)]
Names = Annotated[str | None, typer.Option("--names", metavar="N|a,b,c", help="Class names, or their number.", rich_help_panel=DATA)]
Root = Annotated[str | None, typer.Option("--root", metavar="DIR", help="Where paths in the data.yaml start.", rich_help_panel=DATA)]
ImageSizes = Annotated[
    str | None,
    typer.Option("--image-sizes", metavar="FILE", help="JSON of picture sizes, without pictures.", rich_help_panel=DATA),
]
AllowOutside = Annotated[bool, typer.Option("--allow-outside", help="Read what leads out of the root of DATA, too.", rich_help_panel=DATA)]
Loader = Annotated[
    str | None,
    typer.Option("--loader", metavar="NAME", help="Whose reading: strict, yolov5-7.0, ...", rich_help_panel=DATA),
]
CacheDir = Annotated[
    str | None, typer.Option("--cache-dir", metavar="DIR", help="Folder of the label cache.", show_default=False, rich_help_panel=DATA)
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Read every file anew, and keep nothing.", rich_help_panel=DATA)]
Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=0, help="Processes that read; 0 for none.", show_default="one a core", rich_help_panel=DATA),
]
Limit = Annotated[
    list[str] | None,
    typer.Option("--limit", metavar="NAME=VALUE", help="How much is read; env lists them.", show_default=False, rich_help_panel=DATA),
]
StrictCache = Annotated[bool, typer.Option("--strict-cache", help="Tell changed files by content; so in CI.", rich_help_panel=DATA)]

Family = Annotated[str, typer.Option("--family", metavar="ID", help="Which loss; auto asks model and hyp.", rich_help_panel=TRAIN)]
Profile = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="Which release of it.", show_default="latest", rich_help_panel=TRAIN)
]
Trainer = Annotated[
    str | None, typer.Option("--trainer", metavar="NAME", help="Family, profile and loader in a word.", rich_help_panel=TRAIN)
]
Model = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME|FILE", help="Built-in head or model yaml. Also --cfg.", rich_help_panel=TRAIN),
]
Hyp = Annotated[str | None, typer.Option("--hyp", metavar="NAME|FILE", help="Hyperparameters, built in or yaml.", rich_help_panel=TRAIN)]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A hyperparameter; also plain box=0.1.", show_default=False, rich_help_panel=TRAIN),
]
Imgsz = Annotated[
    str | None,
    typer.Option("--imgsz", metavar="PX|HxW", help="Network input. Also --img, --img-size.", rich_help_panel=TRAIN),
]
BatchSize = Annotated[
    int | None,
    typer.Option("--batch-size", metavar="N", min=1, help="Images of a batch. Also --batch.", show_default="16", rich_help_panel=TRAIN),
]
Geometry = Annotated[str | None, typer.Option("--geometry", metavar="NAME", help="letterbox, stretch or square.", rich_help_panel=TRAIN)]
RawGains = Annotated[bool, typer.Option("--raw-gains", help="Gains without the trainer's scaling.", rich_help_panel=TRAIN)]
Head = Annotated[str, typer.Option("--head", metavar="NAME", help="prior, base-rate, perfect, zero, noise.", rich_help_panel=TRAIN)]
WhatIf = Annotated[
    str | None,
    typer.Option("--what-if", metavar="LIST", help="The same output under bce,focal,qfocal,blur.", rich_help_panel=TRAIN),
]
AutoBalance = Annotated[bool, typer.Option("--autobalance", help="yolov5: balance levels from batch to batch.", rich_help_panel=TRAIN)]
Gr = Annotated[
    float | None, typer.Option("--gr", metavar="0..1", min=0, max=1, help="Share of the IoU in objectness.", rich_help_panel=TRAIN)
]
LabelSmoothing = Annotated[
    float | None, typer.Option("--label-smoothing", metavar="EPS", min=0, max=1, help="Of the class targets.", rich_help_panel=TRAIN)
]
SortObjIou = Annotated[bool, typer.Option("--sort-obj-iou", help="yolov5: the largest IoU wins a slot.", rich_help_panel=TRAIN)]
Preds = Annotated[str | None, typer.Option("--preds", metavar="PATH", help="Real head outputs instead.", rich_help_panel=TRAIN)]
Device = Annotated[str, typer.Option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:N or N.", rich_help_panel=TRAIN)]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Of --head noise.", rich_help_panel=TRAIN)]

Run = Annotated[
    str | None,
    typer.Option("--run", metavar="DIR", help="A trainer's run folder: fills in what it knows.", rich_help_panel=TRAIN),
]
SingleCls = Annotated[bool, typer.Option("--single-cls", help="Every box is of the only class.", rich_help_panel=TRAIN)]
Classes = Annotated[
    str | None, typer.Option("--classes", metavar="ID,ID", help="Only boxes of these classes train.", rich_help_panel=TRAIN)
]
Nc = Annotated[int | None, typer.Option("--nc", metavar="N", min=1, help="As if there were N classes.", rich_help_panel=TRAIN)]
Anchors = Annotated[
    str | None,
    typer.Option(
        "--anchors", metavar="auto|stock|refit|FILE", help="auto: as AutoAnchor decides.", show_default=False, rich_help_panel=TRAIN
    ),
]
NoAutoAnchor = Annotated[bool, typer.Option("--noautoanchor", help="The same as --anchors stock.", rich_help_panel=TRAIN)]
Rect = Annotated[bool, typer.Option("--rect", help="Batches of pictures of like aspect, each with its shape.", rich_help_panel=TRAIN)]

Format = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="NAME", help="rich, text, json, jsonl, csv, junit, github, ...", show_default=False, rich_help_panel=OUT
    ),
]
Output = Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="Write there instead of stdout.", rich_help_panel=OUT)]
Force = Annotated[bool, typer.Option("--force", help="Let -o replace links, or go among the data.", rich_help_panel=OUT)]
TensorBoard = Annotated[
    str | None,
    typer.Option(
        "--tensorboard", metavar="DIR", help="Recorded steps of --preds as scalars there.", show_default=False, rich_help_panel=OUT
    ),
]
FailOn = Annotated[
    str, typer.Option("--fail-on", metavar="SEVERITY", help="Exit 1 from: error, warning, info, never.", rich_help_panel=OUT)
]
By = Annotated[
    str | None,
    typer.Option("--by", metavar="folder|class|split", help="Count by that as well.", show_default=False, rich_help_panel=OUT),
]
Top = Annotated[int | None, typer.Option("--top", metavar="N", min=1, help="The N pictures with the most findings.", rich_help_panel=OUT)]
WriteList = Annotated[
    str | None,
    typer.Option("--write-list", metavar="FILE", help="List of the pictures with findings.", show_default=False, rich_help_panel=OUT),
]
WriteCleanList = Annotated[
    str | None,
    typer.Option(
        "--write-clean-list", metavar="FILE", help="List of the others, of train or --split.", show_default=False, rich_help_panel=OUT
    ),
]
Select = Annotated[
    str | None,
    typer.Option("--select", metavar="LIST", help="Only these findings: codes, DET4 for all DET4xx, names.", rich_help_panel=OUT),
]
Ignore = Annotated[str | None, typer.Option("--ignore", metavar="LIST", help="Not these findings.", rich_help_panel=OUT)]
MaxFindings = Annotated[int, typer.Option("--max-findings", metavar="N", min=1, help="Places listed for one rule.", rich_help_panel=OUT)]
Sweep = Annotated[
    list[str] | None,
    typer.Option(
        "--sweep", metavar="KEY=VALUES", help="A table: from:to:step or a,b,c. Twice: a matrix.", show_default=False, rich_help_panel=OUT
    ),
]
SaveRun = Annotated[str | None, typer.Option("--save", metavar="RUN.npz", help="Keep the run: what compare reads.", rich_help_panel=OUT)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.", rich_help_panel=OUT)]
