"""Reads Markdown as far as links need it: lines, fences, headings with their anchors, and links with their places.

It knows the Markdown that this repository writes, not all of CommonMark.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"^\s*(`{3,}|~{3,})(.*)$")
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
# The label may hold one pair of brackets, as in `[[issuer]]`; the target may stand in <> and have a title.
LINK = re.compile(
    r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]"
    r"\(\s*<?([^()\s<>]*(?:\([^()\s]*\)[^()\s<>]*)*)>?(?:\s+\"[^\"]*\")?\s*\)"
)
DEFINITION = re.compile(r"^ {0,3}\[([^\]]+)\]:\s*<?(\S+?)>?(?:\s+\"[^\"]*\")?\s*$")
REFERENCE = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\])+)\]\[([^\[\]]*)\]")
AUTOLINK = re.compile(r"<([a-z][a-z0-9+.-]*:[^<>\s]+)>")
ATTRIBUTE = re.compile(r"<(?:a|img|source|link|script)\b[^>]*?\s(?:href|src|srcset)=[\"']([^\"'\s]+)", re.IGNORECASE)
ID = re.compile(r"<[a-z][^>]*?\s(?:id|name)=[\"']([^\"']+)[\"']", re.IGNORECASE)


@dataclass
class Link:
    line: int
    target: str
    image: bool = False


@dataclass
class Page:
    """A Markdown file: its text, its anchors as a repository's web page makes them, and its links."""

    path: Path
    text: str
    anchors: set[str] = field(default_factory=set)
    links: list[Link] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> "Page":
        page = cls(path, path.read_text(encoding="utf-8"))
        page.anchors = {anchor for _, anchor in headings(page.text)}
        # A link may be broken over lines, so links are searched in the whole text, with code and comments blanked.
        prose = blanked(page.text)
        page.anchors.update(ID.findall(prose))
        definitions = {}
        for number, line in enumerate(prose.split("\n"), 1):
            if definition := DEFINITION.match(line):
                definitions[definition[1].lower()] = number
                page.links.append(Link(number, definition[2]))
        for found in LINK.finditer(prose):
            page.links.append(Link(line_of(prose, found.start()), found[3], image=bool(found[1])))
            # An image may be the label of a link.
            page.links += [Link(line_of(prose, found.start()), inner[3], image=True) for inner in LINK.finditer(found[2])]
        for pattern in (AUTOLINK, ATTRIBUTE):
            page.links += [Link(line_of(prose, found.start()), found[1]) for found in pattern.finditer(prose)]
        for found in REFERENCE.finditer(prose):
            name = (found[2] or found[1]).lower()
            if name not in definitions:
                page.faults.append((line_of(prose, found.start()), f"expected a definition of [{name}], found none"))
        page.links.sort(key=lambda link: link.line)
        return page


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def lines(text: str) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it is code: a fence's lines count as code too."""
    fence = ""
    for line in text.split("\n"):
        mark = FENCE.match(line)
        if fence:
            yield line, True
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
        else:
            fence = mark[1] if mark else ""
            yield line, bool(mark)


def blanked(text: str) -> str:
    """The text with spaces for comments, code blocks and code spans, so that offsets and lines stay."""
    prose = "\n".join(" " * len(line) if code else line for line, code in lines(text))
    spaces = re.compile(r"[^\n]")
    prose = COMMENT.sub(lambda found: spaces.sub(" ", found[0]), prose)
    # A code span may be broken over two lines, but not over a paragraph.
    span = re.compile(r"(?<![`\\])(`+)(?!`)((?:[^\n]|\n(?!\s*\n))+?)(?<!`)\1(?!`)")
    return span.sub(lambda found: spaces.sub(" ", found[0]), prose)


def headings(text: str) -> list[tuple[int, str]]:
    """Headings as (index of the line, anchor). A repeated anchor gets a number, as the usual repository hosts do it."""
    found, seen = [], {}
    for index, (line, code) in enumerate(lines(text)):
        heading = None if code else HEADING.match(line)
        if heading:
            anchor = slug(heading[2])
            count = seen.get(anchor, 0)
            seen[anchor] = count + 1
            found.append((index, f"{anchor}-{count}" if count else anchor))
    return found


def slug(heading: str) -> str:
    """`The "gateway", in full` becomes `the-gateway-in-full`; underscores stay, each space becomes a hyphen."""
    plain = LINK.sub(lambda found: found[2], heading)
    plain = re.sub(r"(?<!\w)[*_]{1,2}(\S.*?\S|\S)[*_]{1,2}(?!\w)", r"\1", plain) if "`" not in plain else plain
    return re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
