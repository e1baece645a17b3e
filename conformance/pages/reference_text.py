"""Text of the reference pages: sentences, code in prose, and lines of Markdown."""

import re
import textwrap

WIDTH = 120
GENERATED = "by `cargo xtask docs`; do not edit"
PAGE = re.compile(r"\bdocs/([\w/-]+)\.md\b")
CODE = re.compile(r"(`[^`]+`)")
LITERAL = re.compile(
    r"""(?<![\w`/.-])(
      --[a-z][\w-]*                         # an option
    | \$\(\.\.\.\) | \$[A-Za-z_]+           # what a shell replaces
    | [A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+         # a variable
    | [a-z]+[0-9]*(?:_[a-z0-9]+)+           # a name in settings and protocols
    | NO_COLOR | CLICOLOR | BROWSER
    | [a-z]+://[^\s,;)]*[^\s,;).:]          # an address
    | \d+(?:\.\d+){3}(?::\d+)?
    | ~/[^\s,;)]+[^\s,;).:]                 # a file
    | \.env\b | \[::1\]
    )""",
    re.VERBOSE,
)


def joined(text: str) -> str:
    """One line, without what only readers of the code need."""
    return " ".join(text.split("```")[0].split())


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+(?=[A-Z`])", text) if text else []


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def code(text: str) -> str:
    return f"`{text}`"


def coded(text: str) -> str:
    """Sets names in prose as code, and pages as links, where the terminal shows them plain."""
    parts = CODE.split(text)
    return "".join(part if number % 2 else _plain(part) for number, part in enumerate(parts))


def _plain(text: str) -> str:
    text = LITERAL.sub(r"`\1`", text).replace("<", "&lt;")
    return PAGE.sub(r"[\1](../\1.md)", text)


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def wrapped(text: str, first: str = "", rest: str | None = None) -> str:
    """Lines of at most 120 characters. Code is not broken, and no line begins like a list."""
    glued = CODE.sub(lambda found: found[0].replace(" ", "\0"), text)
    glued = re.sub(r" (\d+[.)]|[-+*#>])(?= |$)", "\0\\1", glued)
    lines = textwrap.wrap(
        glued,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first) if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace("\0", " ")


def anchor(name: str) -> str:
    return f'<a id="{name}"></a>\n'


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table, without the columns that are empty."""
    used = [number for number in range(len(head)) if any(row[number] for row in rows)]
    lines = [[cell(row[number]) for number in used] for row in (head, *rows)]
    text = [f"| {' | '.join(line)} |\n" for line in lines]
    return "".join([text[0], "|---" * len(used) + "|\n", *text[1:]])
