"""Turns the pages of docs/ into what the generator reads.

The pages are written for a repository's web page (GFM). Python-Markdown differs: list items are indented by four, anchors
are made in another way, and an attribute stands after a fence's first word. Links to files that are no pages become
links to the repository's address, or plain text while there is none.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import diagrams
from pages import CODE, COMMENT, FENCE, HEADING, LINK, blanked, headings, lines

ITEM = re.compile(r"^(\s*)([-*+]|\d{1,9}[.)])(\s+)\S")
# Maintainers' papers in docs/, which are no pages of the site.
PAPERS = ("decisions", "api", "maintainers", "mutation.md")


@dataclass
class Site:
    """Where the pages are, which files they are, and where files of the repository can be read."""

    root: Path
    source: str | None = None

    @property
    def docs(self) -> Path:
        return self.root / "docs"

    def pages(self) -> list[Path]:
        found = sorted(self.docs.rglob("*.md"))
        return [page for page in found if page.relative_to(self.docs).parts[0] not in PAPERS]

    def files(self) -> list[Path]:
        """Images and the like, which are copied as they are."""
        return sorted(
            file
            for file in self.docs.rglob("*")
            if file.is_file() and file.suffix in {".svg", ".png", ".jpg", ".webp"}
            and file.relative_to(self.docs).parts[0] not in PAPERS
        )

    def stages(self, file: Path) -> bool:
        """Whether the site has this file, as a page or an image."""
        return file in self.pages() or file in self.files()


def stage(page: Path, site: Site) -> str:
    text = page.read_text(encoding="utf-8")
    text = without_comments(text)
    text = with_links(text, page, site)
    text = with_anchors(text)
    text = "\n".join(in_tables(line) if not code else fence(line) for line, code in lines(text))
    text = prompted(text)
    text = indented(text)
    return diagrams.drawn(text, page)


def without_comments(text: str) -> str:
    """Comments steer the suite that runs the snippets; a reader of the page's source does not need them."""
    whole = "\n".join("\0" * len(line) if code else line for line, code in lines(text))
    for found in reversed(list(COMMENT.finditer(whole))):
        text = text[: found.start()] + text[found.end() :]
    return text


def with_links(text: str, page: Path, site: Site) -> str:
    for found in reversed(list(LINK.finditer(blanked(text)))):
        target = found[3]
        if re.match(r"[a-z][a-z0-9+.-]*:|#", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / unquote(path)).resolve()
        if site.stages(file):
            continue
        label = text[found.start(2) : found.end(2)]
        if site.source and file.is_relative_to(site.root):
            address = site.source.replace("{path}", file.relative_to(site.root).as_posix())
            label = f"[{label}]({address}{'#' + anchor if anchor else ''})"
        text = text[: found.start()] + label + text[found.end() :]
    return text


def with_anchors(text: str) -> str:
    """Gives each heading the anchor that the repository's web page gives it, so that one link serves both."""
    split = text.split("\n")
    for index, anchor in headings(text):
        level, title = HEADING.match(split[index]).groups()
        split[index] = f"{level} {title} {{ #{anchor} }}"
    return "\n".join(split)


def in_tables(line: str) -> str:
    r"""In a cell, GFM wants `\|` even inside code; Python-Markdown would show the backslash."""
    if not line.startswith("|"):
        return line
    return CODE.sub(lambda found: found[0].replace("\\|", "|"), line)


def fence(line: str) -> str:
    """`rust,no_run` is Rust; `caddyfile` has no lexer."""
    mark = FENCE.match(line)
    if not mark or not mark[2].strip():
        return line
    language, _, rest = mark[2].strip().partition(" ")
    language = {"caddyfile": "nginx", "cedar": "text", "js": "javascript"}.get(language, language.split(",")[0])
    return f"{line[: mark.start(1)]}{mark[1]}{language}{' ' + rest if rest else ''}"


def prompted(text: str) -> str:
    """Sets a shell's second prompt before a here-document, so that it counts as typed, not as output."""
    result, end = [], ""
    for line, code in lines(text):
        if end and code:
            indent = len(line) - len(line.lstrip(" ")) if line.lstrip(" ") == end else 0
            result.append(f"{line[:indent]}> {line[indent:]}")
            end = "" if line.strip() == end else end
        else:
            document = re.match(r"\s*\$ .*(?<!<)<<(?!<)-?\s*[\"']?(\w+)", line) if code else None
            end = document[1] if document else ""
            result.append(line)
    return "\n".join(result)


def numbered(levels: list[tuple[int, int]], indent: int) -> bool:
    """Whether an open list has its markers in this column."""
    return any(marker == indent for marker, _ in levels)


def indented(text: str) -> str:
    """Indents what belongs to a list item by four for each level, and begins a list after an empty line."""
    levels: list[tuple[int, int]] = []  # columns of the marker and of the content
    result: list[str] = []
    before = ""
    for line, code in lines(text):
        indent = len(line) - len(line.lstrip(" "))
        item = None if code else ITEM.match(line)
        if item and item[2][0].isdigit() and item[2] not in ("1.", "1)") and before.strip() and not numbered(levels, indent):
            # A sentence that ends with a number, and the line begins with it.
            line, item = f"{item[1]}{item[2][:-1]}\\{line[item.end(2) - 1 :]}", None
        if line.strip():
            # A line of a paragraph may stand further left than its item, as long as no empty line came between.
            lazy = not item and not code and before.strip() and not HEADING.match(line) and not line.startswith("|")
            while levels and indent < levels[-1][1] and not lazy:
                levels.pop()
        if not line.strip():
            result.append(line)
        elif item:
            if not levels and before.strip() and result and not ITEM.match(before) and not before.startswith(" "):
                result.append("")
            levels_before = len(levels)
            levels.append((indent, indent + len(item[2]) + len(item[3])))
            result.append(" " * 4 * levels_before + line.lstrip(" "))
        elif levels:
            result.append(" " * (4 * len(levels) + max(0, indent - levels[-1][1])) + line.lstrip(" "))
        else:
            result.append(line)
        before = line
    return "\n".join(result)
