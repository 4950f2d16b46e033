"""Large folders of a data set, scanned by worker processes while the program still loads what it will need for the rest."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.limits import Limits
from detloss_cli.inputs.mapper import Mapper, Results, Tell
from detloss_cli.inputs.pairing import is_inside, label_folder
from detloss_cli.inputs.scan import Scan, Scanner, scan

# Bytes of a folder itself, which grow with the files in it. A smaller one is scanned in less time than a process takes to start.
LARGE = 1 << 18
YAML = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class ScanShard:
    """One folder. limits: as `scan`."""

    top: str
    limits: Limits

    def name(self, item: int) -> str:
        """What it is called in a message."""
        return self.top


def scan_shard(shard: ScanShard, tell: Tell | None = None) -> Scan:
    """What lies below the folder."""
    return scan(shard.top, shard.limits)


class Ahead:
    """`scan`, for which some folders are being scanned already; each of them once."""

    def __init__(self, folders: Sequence[str], limits: Limits, mapper: Mapper) -> None:
        self._limits = limits
        self._left = list(folders)
        self._results: Results[Scan] = mapper(scan_shard, [ScanShard(folder, limits) for folder in folders], ScanShard.name)
        self._found: dict[str, Scan] = {}

    def __call__(self, top: str, limits: Limits) -> Scan:
        """As `scan`."""
        if limits == self._limits:
            while top in self._left:
                self._found[self._left.pop(0)] = next(self._results)
            if not self._left:
                next(self._results, None)  # which lets the workers go
        return self._found.pop(top, None) or scan(top, limits)

    def close(self) -> None:
        """Nobody asks for the rest, the workers are gone; who asks all the same is answered as by `scan`."""
        self._results.close()
        self._left.clear()
        self._found.clear()


def let_go(scanner: Scanner) -> None:
    """There is no more to list: nobody scans ahead."""
    if isinstance(scanner, Ahead):
        scanner.close()


def scanner_of(path: str, splits: str | None, root: str | None, limits: Limits, mapper: Mapper, *, allow_outside: bool) -> Scanner:
    """A scanner that has begun with the folders that a data.yaml names, if it names any that are worth it.

    Args:
        path: DATA. splits: those that will be read, separated by commas; None for all.
        root, allow_outside: as `read_data`.
    """
    if not path.endswith(YAML):
        return scan
    try:
        spec, _ = read_data(path, root=root, names=None, allow_outside=allow_outside, limits=limits)
        wanted = spec.splits if splits is None else {split: spec.splits[split] for split in splits.split(",") if split in spec.splits}
        sources: dict[str, str] = {}
        for source in (source for places in wanted.values() for source in places):
            sources.setdefault(os.path.realpath(source), source)  # listing looks into the first of them alone
        twins = {source: label_folder(source) for source in sources.values()}
        folders = [folder for pair in twins.items() for folder in dict.fromkeys(pair) if _is_large(folder) and is_inside(folder, spec.root)]
    except (DetlossError, OSError, ValueError):  # who reads the data in earnest says what is wrong with it
        return scan
    return Ahead(folders, limits, mapper) if len(folders) > 1 else scan


def _is_large(folder: str) -> bool:
    return os.path.isdir(folder) and os.stat(folder).st_size >= LARGE
