#!/usr/bin/env python3
"""Labels that `strict` passes clean load to the same boxes in two other readers.

    python benchmarks/readers.py [DATA.yaml ...]      sample_data/vegetables without an argument

The readers are supervision and globox, in an environment of their own that this script makes and removes. The command fails where a set is
not clean, or a class or a coordinate differs by more than 1e-5 of the image.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from importlib import metadata
from pathlib import Path

from detloss_cli.checks.labels import label_findings
from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.dataset import read_dataset

HERE = Path(__file__).resolve().parent
PEERS = ("supervision==0.31.2", "globox==2.9.0")
MOST = 1e-5
# What a peer makes of a folder: file stem -> rows of class, cx, cy, w, h in 0..1, sorted.
READ = """
import json, sys
from pathlib import Path
from PIL import Image
peer, images, labels, names = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), json.loads(sys.argv[4])
found = {}
def put(path, cls, x1, y1, x2, y2, size=None):
    w, h = size or Image.open(path).size
    found.setdefault(Path(path).stem, []).append([cls, (x1 + x2) / 2 / w, (y1 + y2) / 2 / h, (x2 - x1) / w, (y2 - y1) / h])
if peer == "supervision":
    import supervision
    yaml = Path(sys.argv[5]); yaml.write_text("names: " + json.dumps(names))
    for path, image, own in supervision.DetectionDataset.from_yolo(str(images), str(labels), str(yaml)):
        for cls, box in zip(own.class_id.tolist(), own.xyxy.tolist()):
            put(path, cls, *box, size=image.shape[1::-1])  # it turns a picture as its EXIF orientation says, and so does detloss
else:
    from globox import AnnotationSet
    for one in AnnotationSet.from_yolo_v5(folder=labels, image_folder=images):
        for box in one.boxes:
            put(images / one.image_id, int(box.label), box.xmin, box.ymin, box.xmax, box.ymax)
print(json.dumps({stem: sorted(rows) for stem, rows in found.items()}))
"""


def peers(folder: Path) -> Path:
    """The interpreter of a new environment that has them."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS, "pillow"], check=True)
    return python


def compare(data: str, python: Path, folder: Path) -> bool:
    """Prints one line a split and reader. False where something differs."""
    spec, faults = read_data(data)
    good = True
    for split, sources in spec.splits.items():
        found = read_dataset(spec, (split,), "strict", num_classes=None, sizes=True)
        wrong = [finding for finding in label_findings(found) if finding.severity != "info"]
        if faults or wrong:
            print(f"{split:<6} not clean: {wrong[0].message if wrong else faults[0].kind}")
            return False
        ours: dict[str, list[list[float]]] = {}
        labels = found.labels
        for image, cls, box in zip(labels.image.tolist(), labels.cls.tolist(), labels.boxes.tolist(), strict=True):
            ours.setdefault(Path(labels.images.path[image]).stem, []).append([cls, *box])
        homes = {str(Path(path).parent) for path in labels.images.label_path}
        for peer in PEERS:
            name = peer.partition("==")[0]
            command = [python, "-c", READ, name, sources[0], homes.copy().pop(), json.dumps(labels.names), str(folder / "names.yaml")]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{name} failed:\n{done.stderr[-1500:]}")
            theirs = json.loads(done.stdout.splitlines()[-1])
            same = {stem: sorted(rows) for stem, rows in ours.items()}
            apart = difference(same, theirs)
            good &= apart <= MOST
            print(f"{split:<6} {len(labels):>6,} boxes  {peer:<22} largest difference {apart:.1e}", flush=True)
    return good


def difference(ours: dict[str, list[list[float]]], theirs: dict[str, list[list[float]]]) -> float:
    """The largest of a coordinate; infinite where images, counts or classes differ. Rows are paired class by class, nearest first."""
    if ours.keys() != theirs.keys():
        return float("inf")
    worst = 0.0
    for stem, rows in ours.items():
        rest = list(theirs[stem])
        if len(rest) != len(rows):
            return float("inf")
        for row in rows:
            apart = [max(map(abs, map(float.__sub__, row[1:], other[1:]))) if row[0] == other[0] else float("inf") for other in rest]
            nearest = min(range(len(rest)), key=apart.__getitem__)
            worst = max(worst, apart[nearest])
            rest.pop(nearest)
    return worst


def main() -> None:
    sets = sys.argv[1:] or [str(HERE.parent / "sample_data" / "vegetables" / "data.yaml")]
    with tempfile.TemporaryDirectory() as folder:
        python = peers(Path(folder) / "peers")
        print(f"detloss {metadata.version('detloss')}, strict, against {' and '.join(PEERS)}")
        good = [compare(data, python, Path(folder)) for data in sets]
    raise SystemExit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
