"""ultralytics reading the labels of a set, in an environment of its own. Prints the seconds that it took, without its imports.

python benchmarks/peer_ultralytics.py DATA.yaml cold|cached|stubbed

stubbed: cold, without the step that opens every picture, which detloss does not need for this.
"""

import contextlib
import io
import os
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    data, how = Path(sys.argv[1]).resolve(), sys.argv[2]
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.setdefault("YOLO_CONFIG_DIR", scratch)
        os.environ.setdefault("YOLO_OFFLINE", "true")
        os.environ.setdefault("YOLO_VERBOSE", "false")
        from ultralytics.data import dataset
        from ultralytics.data.utils import check_det_dataset

        cache = data.parent / "labels" / "train.cache"
        if how != "cached":
            cache.unlink(missing_ok=True)
        if how == "stubbed":
            from PIL import Image

            Image.Image.verify = lambda self: None
        silent = io.StringIO()
        with contextlib.redirect_stdout(silent), contextlib.redirect_stderr(silent):
            info = check_det_dataset(str(data), autodownload=False)
            started = time.perf_counter()
            found = dataset.YOLODataset(img_path=info["train"], data=info, task="detect", imgsz=640, augment=False)
            seconds = time.perf_counter() - started
        print(seconds, sum(len(label["cls"]) for label in found.labels))


if __name__ == "__main__":
    main()
