"""supervision reading the labels of a set, in an environment of its own. Prints the seconds that it took, without its imports.

python benchmarks/peer_supervision.py DATA.yaml
"""

import sys
import time
from pathlib import Path

import supervision


def main() -> None:
    data = Path(sys.argv[1]).resolve()
    root = data.parent
    started = time.perf_counter()
    found = supervision.DetectionDataset.from_yolo(str(root / "images" / "train"), str(root / "labels" / "train"), str(data))
    seconds = time.perf_counter() - started
    print(seconds, sum(len(boxes) for boxes in found.annotations.values()))


if __name__ == "__main__":
    main()
