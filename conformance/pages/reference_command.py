"""The page of the command and its subcommands."""

import re
from collections.abc import Callable

from reference_help import Help, Option, Section, read
from reference_text import GENERATED, anchor, capital, code, coded, table, wrapped

FEATURE = re.compile(r"\bfeatures? `([\w-]+)`")
FILES = (
    "`portcullis.toml`: the [settings](settings.md) of the gateway, the library and the command.",
    "`.env`: [variables](../environment.md) of the environment, in the working directory.",
    "The token store: [what is stored, and where](../token.md#what-is-stored-and-where).",
)
COMMON = (
    "Every command has `-h`, which prints its help in short, and `--help`, which prints it in "
    "full. `portcullis --version` prints the version."
)


def page(command: Callable[..., str], version: str) -> tuple[str, str]:
    """The page, and what it holds, in numbers."""
    top = read((), command("--help"))
    helps = list(_below(top, command))
    written: dict[str, tuple[list[Option], str]] = {}
    parts = [_head(top, helps, version), *(_section(help_, written) for help_ in helps)]
    text = _with_values("\n".join(parts), [option for help_ in helps for option in help_.options])
    options = sum(len(help_.options) for help_ in helps)
    return text, f"{len(helps)} commands, {options} options and arguments"


def _below(help_: Help, command: Callable[..., str]) -> list[Help]:
    found = []
    for name, _ in help_.commands:
        words = (*help_.words, name)
        inner = read(words, command(*words, "--help"))
        found += [inner, *_below(inner, command)]
    return found


def _with_values(text: str, options: list[Option]) -> str:
    """Sets an option that is named with its value as one piece of code: `--store none`."""
    for option in options:
        for value, _ in option.values:
            text = text.replace(f"{code(option.name)} {value}", code(f"{option.name} {value}"))
    return text


def _slug(help_: Help) -> str:
    return help_.name.replace(" ", "-")


def _head(top: Help, helps: list[Help], version: str) -> str:
    text = f"# Command\n\nMade from the help of the command {GENERATED}.\n\n"
    purpose = f"This page lists every command of Portcullis {version}, with its options."
    text += wrapped(f"{purpose} {COMMON}") + "\n\n"
    for help_ in helps:
        needed = FEATURE.findall(" ".join(help_.about))
        if needed:
            names = ", ".join(code(name) for name in needed)
            needs = f"{code(help_.name)} needs a build with the feature {names}."
            text += wrapped(needs) + "\n\n"
    text += "## Commands\n\n"
    rows = [
        [f"[{code(help_.name)}](#{_slug(help_)})", coded(" ".join(help_.about[:1]))]
        for help_ in helps
    ]
    text += table(["command", "what it does"], rows)
    for part in top.sections:
        if isinstance(part, str) and not part.startswith("Each command has"):
            text += f"\n{wrapped(coded(part))}\n"
        elif isinstance(part, Section) and part.lines:
            text += f"\n{_lines(part)}"
    files = "".join(wrapped(file, "- ", "  ") + "\n" for file in FILES)
    return f"{text}\n**Files**\n\n{files}{_exits(top)}"


def _section(help_: Help, written: dict[str, tuple[list[Option], str]]) -> str:
    text = f"{'#' * min(3, len(help_.words) + 1)} {code(help_.name)}\n\n"
    text += "".join(f"{wrapped(coded(_sentence(part)))}\n\n" for part in help_.about)
    text += "```text\n" + "".join(f"{line}\n" for line in help_.usage) + "```\n"
    for part in help_.sections:
        if isinstance(part, str):
            text += f"\n{wrapped(coded(part))}\n"
        elif part.options:
            text += f"\n{_options(part, help_, written)}"
        elif part.lines:
            text += f"\n{_lines(part)}"
    return text + _exits(help_)


def _sentence(text: str) -> str:
    return text if text.endswith((".", ":")) else f"{text}."


def _options(part: Section, help_: Help, written: dict[str, tuple[list[Option], str]]) -> str:
    before, name = written.setdefault(part.title, (part.options, help_.name))
    if name != help_.name and all(option in before for option in part.options):
        names = ", ".join(code(option.name) for option in part.options)
        own = "" if before == part.options else f"{names}, "
        link = f"[{code(name)}](#{name.replace(' ', '-')})"
        return wrapped(f"**{part.title}**: {own}as in {link}.") + "\n"
    rows = [
        [
            _anchor(option, help_) + code(option.flags),
            _meaning(option),
            coded(option.default),
            coded(option.environment),
        ]
        for option in part.options
    ]
    head = [
        "argument" if part.title == "Arguments" else "option",
        "meaning",
        "default",
        "environment",
    ]
    return f"**{part.title}**\n\n{table(head, rows)}"


def _anchor(option: Option, help_: Help) -> str:
    name = option.name if option.name.startswith("--") else f"-{option.name.lower()}"
    return anchor(f"{_slug(help_)}{name}").strip()


def _meaning(option: Option) -> str:
    mark = "**Danger.** " if "danger" in option.name else ""
    text = mark + coded(option.text)
    if any(meaning for _, meaning in option.values):
        lines = (f"{code(name)}: {coded(meaning)}" for name, meaning in option.values)
        return "<br>".join((text, *lines))
    if option.values:
        text = f"{_sentence(text)} One of {', '.join(code(name) for name, _ in option.values)}"
    return text


def _lines(part: Section) -> str:
    if part.title == "Examples":
        return "**Examples**\n\n```text\n" + "".join(f"{line}\n" for line in part.lines) + "```\n"
    text = " ".join(part.lines)
    words = text.split(", ")
    if all(re.fullmatch(r"[\w:-]+", word) for word in words):
        text = ", ".join(code(word) for word in words)
    return wrapped(f"**{coded(part.title)}**: {coded(text)}") + "\n"


def _exits(help_: Help) -> str:
    if not help_.exits:
        return ""
    rows = [[code(number), coded(capital(meaning))] for number, meaning in help_.exits]
    return f"\n**Exit codes**\n\n{table(['code', 'meaning'], rows)}"
