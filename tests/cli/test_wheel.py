"""The wheel, built and installed where there is no checkout, runs the main job and finds its own configs."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True, capture_output=True
    )
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that holds the wheel; what it depends on is lent by the environment of the tests.

    The path file lends packages only: path files inside the lender, such as that of an editable install, are not followed.
    """
    folder = tmp_path_factory.mktemp("elsewhere") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    python = str(scripts / "python")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps", str(wheel)], check=True
    )
    packages = subprocess.check_output([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True).strip()
    Path(packages, "lent.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return scripts


def run(scripts: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    environment.pop("PYTHONPATH", None)
    return subprocess.run([scripts / "detloss", *arguments], cwd=folder, env=environment, capture_output=True, text=True)


def test_wheel_carries_configs_and_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    configs = {f"detloss_cli/configs/{path.relative_to(ROOT / 'configs').as_posix()}" for path in (ROOT / "configs").rglob("*.yaml")}
    assert configs
    assert configs <= names
    assert "detloss_cli/py.typed" in names
    assert {"detloss_tap.py", "detloss_cli/predictions/detloss_tap.py"} <= names
    assert not [name for name in names if name.startswith(("tests/", "sample_data/", "benchmarks/"))]


def test_the_installed_package_is_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    where = subprocess.check_output(
        [installed / "python", "-c", "import detloss_cli; print(detloss_cli.__file__)"], cwd=tmp_path, text=True
    )
    assert Path(where.strip()).is_relative_to(installed.parent)


def test_main_job_runs_from_anywhere(installed: Path, tmp_path: Path) -> None:
    data = ROOT / "sample_data" / "vegetables" / "data.yaml"
    by_name = run(installed, tmp_path, "compute", str(data), "--model", "yolov5s", "--hyp", "scratch-low", "--format", "json")
    assert (by_name.returncode, by_name.stderr) == (0, "")
    by_path = run(installed, tmp_path, "compute", str(data), "--hyp", str(ROOT / "configs" / "hyp.scratch-low.yaml"), "--format", "json")
    assert '"totals"' in by_name.stdout
    assert by_path.stdout.partition('"origins"')[0] == by_name.stdout.partition('"origins"')[0]
    assert list(tmp_path.iterdir()) == []
