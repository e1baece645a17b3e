"""Writes the reference pages from the built command: `python reference.py [--check]`.

The command is `portcullis` on the path, or what PORTCULLIS_COMMAND names. With `--check` nothing
is written: a page that is not what the command says is a fault.
"""

import argparse
import difflib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import reference_command
import reference_danger
import reference_settings
from reference_help import HelpFault
from reference_schema import SchemaFault

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"
SHOWN = 30
"""Lines of a difference."""


class Command:
    """The built command, in an empty folder and without variables that change what it prints."""

    def __init__(self, path: str, folder: str) -> None:
        self.path = path
        self.folder = folder
        self.environment = {"PATH": os.environ["PATH"], "HOME": folder}
        self.environment |= {"NO_COLOR": "1", "COLUMNS": "100"}

    def __call__(self, *arguments: str) -> str:
        ended = subprocess.run(
            ["portcullis", *arguments],
            executable=self.path,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        if ended.returncode:
            raise HelpFault(f"`portcullis {' '.join(arguments)}` fails:\n{ended.stderr}")
        return ended.stdout


def pages(command: Command) -> tuple[dict[str, str], str]:
    """The pages by name, and what they hold, in numbers."""
    version = command("--version").split()[1]
    settings, number = settings_page(command, version, reference_settings.SETTINGS, "config")
    provider, more = settings_page(command, version, reference_settings.PROVIDER, "idp")
    commands, told = reference_command.page(command, version)
    dangers = reference_danger.page(json.loads(command("config", "schema")))
    made = {"settings.md": settings, "idp.md": provider, "command.md": commands}
    made["danger.md"] = dangers
    return made, f"{number + more} settings, {told}"


def settings_page(
    command: Command, version: str, document: reference_settings.Document, name: str
) -> tuple[str, int]:
    """The page of one settings file, and the number of its settings."""
    schema = json.loads(command(name, "schema"))
    starter = command(name, "init", "--config", "-")
    return reference_settings.page(document, schema, starter, version)


def difference(name: str, text: str) -> list[str]:
    path = FOLDER / name
    committed = path.read_text() if path.exists() else ""
    both = committed.splitlines(), text.splitlines()
    return list(difflib.unified_diff(*both, f"docs/reference/{name}", "the command", lineterm=""))


def compare(made: dict[str, str]) -> bool:
    fits = True
    for name, text in made.items():
        if lines := difference(name, text):
            fits = False
            print("\n".join(lines[:SHOWN]))
            print(f"error: docs/reference/{name} is not what the command says")
    if not fits:
        print("help: run `cargo xtask docs`")
    return fits


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes the reference pages.")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    wants_check = parser.parse_args().check
    path = shutil.which(os.environ.get("PORTCULLIS_COMMAND", "portcullis"))
    if path is None:
        print("error: expected `portcullis` on the path or in PORTCULLIS_COMMAND, found neither")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        try:
            made, told = pages(Command(os.path.abspath(path), folder))
        except (HelpFault, SchemaFault) as fault:
            print(f"error: {fault}")
            return 1
    if wants_check and not compare(made):
        return 1
    if not wants_check:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (FOLDER / name).write_text(text)
    print(f"totals: reference: {told}{', up to date' if wants_check else ', written'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
