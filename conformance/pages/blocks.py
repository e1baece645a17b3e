"""The code blocks of a page, and what the page says about running them.

A comment directly before a block says how it is run; readers do not see it:

    <!-- run: background until "listening" -->   goes on while the rest of the page runs
    <!-- run: status 2 -->                       the exit status of its last command
    <!-- run: skip because it needs an account --> not run, and counted as skipped

A block with a title is written to that file, in the folder where the page runs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^(?P<indent>\s*)(?P<fence>`{3,})(?P<language>[\w+-]*)(?P<attributes>.*)$")
COMMENT = re.compile(r"^\s*<!--\s*(?P<kind>run|page):\s*(?P<text>.*?)\s*-->\s*$")
TITLE = re.compile(r'title="([^"]+)"')
UNTIL = re.compile(r'^background until "([^"]+)"$')
STATUS = re.compile(r"^status (\d+)$")


@dataclass
class Block:
    """One fenced block."""

    line: int
    language: str
    title: str | None
    text: str
    wish: str | None
    """What the comment before it says."""

    @property
    def status(self) -> int:
        match = STATUS.match(self.wish or "")
        return int(match[1]) if match else 0

    @property
    def until(self) -> str | None:
        """The line after which the rest of the page may run."""
        match = UNTIL.match(self.wish or "")
        return match[1] if match else None

    @property
    def reason(self) -> str | None:
        """Why it is not run."""
        head, _, reason = (self.wish or "").partition("skip because ")
        return reason if not head and reason else None

    def has_readable_wish(self) -> bool:
        wish = self.wish
        return wish is None or bool(self.until or self.reason or STATUS.match(wish))


@dataclass
class Page:
    path: Path
    blocks: list[Block]
    setting: dict[str, str]
    """What the comment `page:` says, such as the provider that stands in."""


def read(path: Path) -> Page:
    setting: dict[str, str] = {}
    for line in path.read_text().splitlines():
        if (comment := COMMENT.match(line)) and comment["kind"] == "page":
            setting.update(part.split("=", 1) for part in comment["text"].split())
    return Page(path, list(_blocks(path.read_text().splitlines())), setting)


def _blocks(lines: list[str]) -> Iterator[Block]:
    wish = None
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if (comment := COMMENT.match(line)) and comment["kind"] == "run":
            wish = comment["text"]
            continue
        fence = FENCE.match(line)
        if fence is None:
            wish = wish if not line.strip() else None
            continue
        begin, width = number, len(fence["indent"])
        while number < len(lines) and lines[number].strip() != fence["fence"]:
            number += 1
        text = "\n".join(line[width:] for line in lines[begin:number]) + "\n"
        title = TITLE.search(fence["attributes"])
        yield Block(begin, fence["language"], title[1] if title else None, text, wish)
        wish = None
        number += 1


def commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    """The commands of a console block, each with the output that the page shows."""
    if not any(line.startswith("$ ") for line in block.text.splitlines()):
        yield block.text, []
        return
    lines = block.text.splitlines()
    number = 0
    while number < len(lines):
        if not lines[number].startswith("$ "):
            raise ValueError(f"expected a command behind `$ `, found {lines[number]!r}")
        command = [lines[number][2:]]
        number += 1
        ends = re.search(r"<<-?\s*'?(\w+)'?", command[0])
        while number < len(lines) and (
            command[-1].endswith(("\\", "|"))
            or (ends and command[-1].strip() != ends[1])
            or lines[number].startswith("> ")
        ):
            continued = lines[number].startswith("> ")
            command.append(lines[number][2:] if continued else lines[number])
            number += 1
        output = []
        while number < len(lines) and not lines[number].startswith("$ "):
            output.append(lines[number])
            number += 1
        yield "\n".join(command), output
