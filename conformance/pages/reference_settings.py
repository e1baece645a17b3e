"""The page of the settings."""

from dataclasses import dataclass
from typing import Any

from reference_examples import MORE, examples, order
from reference_schema import Reader, SchemaFault, Setting, Table
from reference_text import GENERATED, anchor, code, wrapped

FIRST = "0.1.0"
SINCE: dict[str, str] = {}
"""The versions that brought settings later than the first did, by their paths."""


@dataclass(frozen=True)
class Document:
    """A settings file, and what its page says of it."""

    title: str
    paragraphs: tuple[str, ...]
    more: dict[str, str]
    """Examples beside those of the starter."""


SETTINGS = Document(
    "Settings",
    (
        "Made from the schema of the settings {generated}.",
        "This page lists every setting of the file `portcullis.toml`, for Portcullis {version}. "
        "{since} The gateway, the library and the command read the same file.",
        "`portcullis config init` writes a file to start from, and `portcullis config check` finds "
        "what is wrong in one. `portcullis config schema` prints the schema, for editors.",
        "A table in double brackets, such as `[[issuer]]`, can stand in the file several times. In "
        "strings, `${{NAME}}` stands for a variable of the environment or of `.env`. A setting "
        "whose name begins with `danger_` takes a protection away: leave it out unless its "
        "description fits your case.",
        "Every setting has an anchor with its name, such as `settings.md#gateway.tls.minimum`.",
    ),
    MORE,
)
PROVIDER = Document(
    "Settings of the development provider",
    (
        "Made from the schema of these settings {generated}.",
        "This page lists every setting of the [development identity provider](../idp.md), for "
        "Portcullis {version}. {since} `portcullis idp --config idp.toml` reads them, and so does "
        "`portcullis dev`.",
        "`portcullis idp init` writes a file to start from, and `portcullis idp schema` prints the "
        "schema, for editors. `portcullis idp` tells every fault of a file at once.",
        "A table in double brackets, such as `[[user]]`, can stand in the file several times. In "
        "strings, `${{NAME}}` stands for a variable of the environment or of `.env`. All of it is "
        "for development: passwords and secrets stand in clear.",
    ),
    {},
)


def page(
    document: Document, schema: dict[str, Any], starter: str, version: str
) -> tuple[str, int]:
    """The page, and the number of its settings."""
    tables = Reader(schema).tables
    settings = {setting.path: setting for table in tables for setting in table.settings}
    _check(document, settings)
    tables = _sorted(tables, order(starter))
    found = examples(starter, document.more)
    parts = [_head(document, tables, version), *(_section(table, found) for table in tables)]
    return "\n".join(parts), len(settings)


def _check(document: Document, settings: dict[str, Setting]) -> None:
    for path in (*document.more, *SINCE):
        if path not in settings:
            raise SchemaFault(f"expected the setting {path}, which the pages name; found none")


def _sorted(tables: list[Table], names: list[str]) -> list[Table]:
    """An order of our own: that of the schema depends on how the command was built."""
    places = {name: place for place, name in enumerate(["", *names])}
    for table in tables:
        table.settings.sort(key=lambda setting: (setting.default is not None, setting.path))

    def place(table: Table) -> tuple[int, str]:
        return places.get(table.path.partition(".")[0], len(places)), table.path

    return sorted(tables, key=place)


def _title(table: Table) -> str:
    return code(table.header) if table.path else "Top level"


def _head(document: Document, tables: list[Table], version: str) -> str:
    since = f"Every setting has been there since {FIRST}"
    since += ", unless it says otherwise." if SINCE else "."
    texts = {"generated": GENERATED, "version": version, "since": since}
    paragraphs = [paragraph.format(**texts) for paragraph in document.paragraphs]
    text = "\n\n".join([f"# {document.title}", *map(wrapped, paragraphs), "## Tables\n\n"])
    for table in tables:
        names = ", ".join(f"[{code(setting.name)}](#{setting.path})" for setting in table.settings)
        link = f"[{_title(table)}](#{table.path or 'top-level'})"
        text += wrapped(f"{link}: {names}", "- ", "  ") + "\n"
    return text


def _section(table: Table, found: dict[str, str]) -> str:
    text = f"{_anchor(table.path)}## {_title(table)}\n\n"
    if table.meaning:
        text += wrapped(table.meaning) + "\n\n"
    if inline := found.get(table.path):
        name = table.path.rpartition(".")[2]
        text += wrapped(f"It can stand in one line: {code(f'{name} = {inline}')}.") + "\n\n"
    return text + "\n".join(_setting(setting, found) for setting in table.settings)


def _anchor(path: str) -> str:
    """Headings lose their dots in the anchors that web pages give them; others need none."""
    return f"{anchor(path)}\n" if "." in path else ""


def _is_default(example: str, setting: Setting) -> bool:
    """Whether it shows nothing new: `10000` where the default is `10_000`."""
    return (setting.default or "").replace("_", "").startswith(code(example.replace("_", "")))


def _setting(setting: Setting, found: dict[str, str]) -> str:
    mark = "**Danger.** " if setting.is_dangerous else ""
    text = f"{_anchor(setting.path)}### {code(setting.path)}\n\n"
    text += wrapped(mark + setting.meaning) + "\n\n"
    text += wrapped(f"Type: {setting.kind}", "- ", "  ") + "\n"
    text += "".join(wrapped(variant, "  - ", "    ") + "\n" for variant in setting.variants)
    facts = []
    facts.append("Required" if setting.default is None else f"Default: {setting.default}")
    example = found.get(setting.path)
    if example and not _is_default(example, setting):
        facts.append(f"Example: {code(f'{setting.name} = {example}')}")
    if since := SINCE.get(setting.path):
        facts.append(f"Since: {since}")
    return text + "".join(wrapped(fact, "- ", "  ") + "\n" for fact in facts)
