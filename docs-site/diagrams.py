"""Draws ```mermaid blocks while the site is built, so that a page needs no script and no network for them.

The picture has colours from the page's style sheet (`.diagram` in site.css). The block's text stays below it.
"""

import html
import re
from pathlib import Path

import mmdr

BLOCK = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TITLE = re.compile(r"^#+ (.*?)(?: \{ #.*\})?$", re.MULTILINE)
# Narrow columns, so that a sequence fits the width of a page's text.
SETTINGS = (
    '%%{init: {"theme": "base", "look": "classic", '
    '"sequence": {"mirrorActors": false, "wrap": true, "width": 150, "actorMargin": 5}}}%%\n'
)


def drawn(text: str, page: Path) -> str:
    for number, found in enumerate(BLOCK.finditer(text), 1):
        name = f"diagram-{number}"
        titles = TITLE.findall(text[: found.start()])
        label = html.escape(f"Diagram: {titles[-1] if titles else page.stem}", quote=True)
        text = text.replace(found[0], figure(found[1], name, label), 1)
    return text


def figure(source: str, name: str, label: str) -> str:
    picture = mmdr.render(SETTINGS + source, backend="merman").svg()
    # Its style sheet and its marks are known by the id, so two pictures of a page need two.
    picture = re.sub(r"(?<![\w-])merman\b", name, picture)
    width = re.search(r'viewBox="\S+ \S+ (\S+) \S+"', picture)
    # Below two thirds of its size the text cannot be read: then the figure scrolls.
    least = f"min-width:{float(width[1]) * 2 / 3:.0f}px" if width else ""
    picture = picture.replace("<svg ", f'<svg aria-label="{label}" ', 1)
    picture = re.sub(r'role="graphics-document document"', 'role="img"', picture, count=1)
    picture = re.sub(r"\n\s*\n", "\n", picture).replace("\n", " ")
    return (
        f'<div class="diagram" tabindex="0"><div style="{least}">{picture}</div></div>\n'
        '<details class="diagram-text"><summary>The diagram as text</summary>'
        f"<pre><code>{html.escape(source)}</code></pre></details>\n"
    )
