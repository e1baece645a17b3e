"""Finds links that lead nowhere, in Markdown and in the built site, and resources from other hosts."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pages import Page
from stage import Site

SKIPPED = {"target", "node_modules", ".git", ".tools", ".pytest_cache", ".mypy_cache", ".ruff_cache", "site-packages"}
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
# Elements whose address is loaded with the page; `a` is not among them.
LOADED = {
    "script": ("src",), "img": ("src", "srcset"), "source": ("src", "srcset"), "iframe": ("src",), "embed": ("src",),
    "object": ("data",), "video": ("src", "poster"), "audio": ("src",), "track": ("src",), "input": ("src",),
    "image": ("href", "xlink:href"), "use": ("href", "xlink:href"),
}
LOADED_RELATIONS = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "preconnect", "dns-prefetch", "manifest"}
CSS_ADDRESS = re.compile(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)")


@dataclass
class Report:
    root: Path
    faults: list[str] = field(default_factory=list)
    external: set[str] = field(default_factory=set)
    files: int = 0
    pages: int = 0
    markdown_links: int = 0
    site_links: int = 0
    resources: int = 0

    def fault(self, file: Path, line: int, expected: str, found: str) -> None:
        place = file.relative_to(self.root) if file.is_relative_to(self.root) else file
        self.faults.append(f"{place}:{line}: expected {expected}, found {found}")

    def foreign(self, file: Path, line: int, address: str) -> None:
        """A link to another host: https, with a host name, and without stray characters."""
        if address.lower().startswith("mailto:"):
            if not re.fullmatch(r"mailto:[^@\s]+@[^@\s]+\.[^@\s]+", address, re.IGNORECASE):
                self.fault(file, line, "an address of mail", f'"{address}"')
            return
        try:
            parts = urlsplit(address)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            self.fault(file, line, "a well-formed address", f'"{address}"')
            return
        # A program on the reader's own machine.
        if parts.scheme == "http" and host == "127.0.0.1":
            return
        self.external.add(address)
        if parts.scheme != "https":
            self.fault(file, line, "an https address", f'"{address}"')
        elif not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", host) or re.search(r"[\s<>\"{}|\\^`]", address):
            self.fault(file, line, "a well-formed address", f'"{address}"')


def markdown(root: Path, report: Report) -> None:
    """Every link and anchor of every Markdown file of the repository."""
    known: dict[Path, Page] = {}

    def page_at(path: Path) -> Page:
        if path not in known:
            known[path] = Page.read(path)
        return known[path]

    for path in sources(root):
        report.files += 1
        page = page_at(path)
        for line, fault in page.faults:
            report.faults.append(f"{path.relative_to(root)}:{line}: {fault}")
        for link in page.links:
            if SCHEME.match(link.target) or link.target.startswith("//"):
                report.foreign(path, link.line, link.target)
                continue
            report.markdown_links += 1
            target, _, anchor = link.target.partition("#")
            file = Path(os.path.normpath(path.parent / unquote(target))) if target else path
            if not file.is_relative_to(root):
                report.fault(path, link.line, "a file of the repository", f'"{link.target}"')
            elif not file.exists():
                report.fault(path, link.line, f"the file {file.relative_to(root)}", f'none for "{link.target}"')
            elif anchor and file.suffix == ".md" and unquote(anchor) not in page_at(file).anchors:
                report.fault(path, link.line, f"the heading #{anchor} in {file.relative_to(root)}", "no such heading")


def sources(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(".md"))


def navigation(site: Site, nav: list, settings: Path, report: Report) -> None:
    """Each page of docs/ stands in the navigation, once, and each entry has its page."""
    text = settings.read_text(encoding="utf-8").split("\n")
    entries = [path for section in nav for group in section.values() for entry in group for path in entry.values()]
    for path in entries:
        line = next((number for number, content in enumerate(text, 1) if f'"{path}"' in content), 1)
        if not (site.docs / path).is_file():
            report.fault(settings, line, f"the page docs/{path}", "no such file")
        if entries.count(path) > 1:
            report.fault(settings, line, f"{path} once", f"{entries.count(path)} times")
    for page in site.pages():
        path = page.relative_to(site.docs).as_posix()
        if path not in entries:
            report.fault(page, 1, f'an entry "{path}" in {settings.relative_to(site.root)}', "none")


@dataclass
class Built(HTMLParser):
    """A built page: its anchors, its links, and what it loads."""

    text: str
    anchors: set[str] = field(default_factory=set)
    links: list[tuple[int, str]] = field(default_factory=list)
    loads: list[tuple[int, str]] = field(default_factory=list)
    titles: int = 0
    guarded: bool = False

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.styling = False
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line, given = self.getpos()[0], {name: value or "" for name, value in attrs}
        self.styling = tag == "style"
        self.titles += tag == "h1"
        self.guarded |= given.get("http-equiv") == "Content-Security-Policy" and "default-src 'self'" in given["content"]
        self.anchors.update(given[name] for name in ("id", "name") if given.get(name))
        if tag in ("a", "area") and "href" in given:
            self.links.append((line, given["href"]))
        if tag == "link" and "href" in given:
            loaded = LOADED_RELATIONS & set(given.get("rel", "").split())
            (self.loads if loaded else self.links).append((line, given["href"]))
        for name in LOADED.get(tag, ()):
            if given.get(name):
                addresses = [part.split()[0] for part in given[name].split(",")] if name == "srcset" else [given[name]]
                self.loads += [(line, address) for address in addresses]
        self.loads += [(line, address) for address in css_addresses(given.get("style", ""))]

    def handle_endtag(self, tag: str) -> None:
        self.styling = self.styling and tag != "style"

    def handle_data(self, data: str) -> None:
        if self.styling:
            self.loads += [(self.getpos()[0], address) for address in css_addresses(data)]


def css_addresses(style: str) -> list[str]:
    return [found[1] or found[2] for found in CSS_ADDRESS.finditer(style)]


def site(folder: Path, report: Report) -> None:
    """Every link, anchor and resource of every built page, and the resources of every style sheet."""
    pages = {path: Built(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    report.pages = len(pages)
    for path, page in pages.items():
        if page.titles != 1 and path.name != "404.html":
            report.fault(path, 1, "one h1", f"{page.titles}")
        if not page.guarded:
            report.fault(path, 1, "a Content-Security-Policy that keeps other hosts out", "none")
        for line, address in page.links:
            if SCHEME.match(address):
                report.foreign(path, line, address)
            else:
                report.site_links += 1
                resolve(folder, path, line, address, pages, report)
        for line, address in page.loads:
            load(folder, path, line, address, pages, report)
    for path in sorted(folder.rglob("*.css")):
        for number, text in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            for address in css_addresses(text):
                load(folder, path, number, address, pages, report)


def load(folder: Path, path: Path, line: int, address: str, pages: dict[Path, Built], report: Report) -> None:
    if address.startswith("data:") or (address.startswith("#") and path.suffix == ".css"):
        return
    report.resources += 1
    if SCHEME.match(address) or address.startswith("//"):
        report.fault(path, line, "a resource of the site", f'"{address}"')
    else:
        resolve(folder, path, line, address, pages, report)


def resolve(folder: Path, path: Path, line: int, address: str, pages: dict[Path, Built], report: Report) -> None:
    parts = urlsplit(address)
    file = path
    if parts.path.startswith("/"):
        file = folder / unquote(parts.path).lstrip("/")
    elif parts.path:
        file = Path(os.path.normpath(path.parent / unquote(parts.path)))
    if file.is_dir():
        file = file / "index.html"
    if not file.is_relative_to(folder) or not file.is_file():
        report.fault(path, line, "a file of the site", f'none for "{address}"')
    elif parts.fragment and file in pages and unquote(parts.fragment) not in pages[file].anchors:
        report.fault(path, line, f"the anchor #{parts.fragment} in {file.relative_to(folder)}", "no such anchor")
