"""Label files as one would read them in plain Python: open, split, float. The baseline of reading.

python benchmarks/plain_loop.py FOLDER
"""

import os
import sys


def main() -> None:
    folder, boxes = sys.argv[1], []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name)) as file:
            for line in file:
                cls, *box = line.split()
                boxes.append((int(cls), *map(float, box)))
    print(len(boxes))


if __name__ == "__main__":
    main()
