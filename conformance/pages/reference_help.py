"""Reads the help of a command, as it is printed: its options, its examples, its exit codes."""

import re
from dataclasses import dataclass, field

HEADING = re.compile(r"^([A-Z][^.]*):$")
ENTRY = re.compile(r"^ {2,6}(?P<flags>(?:-|<|\[)\S.*)$")
VALUE = re.compile(r"^- (?P<name>[\w-]+):\s+(?P<text>.*)$")
NOTE = re.compile(
    r"\s*\[(?P<name>env|possible values|default[^:\]]*): (?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]"
)
FOR_ALL = ("-h, --help", "-V, --version")


class HelpFault(Exception):
    """Help that the pages cannot be made of."""


@dataclass
class Option:
    """An option or an argument."""

    flags: str
    text: str
    values: list[tuple[str, str]] = field(default_factory=list)
    """What it may be, each with its meaning, if the help tells one."""
    default: str = ""
    environment: str = ""

    @property
    def name(self) -> str:
        """The long name of an option, or that of an argument."""
        found = re.search(r"--[a-z-]+", self.flags) or re.search(r"[\w-]+", self.flags)
        if found is None:
            raise HelpFault(f"expected an option or an argument, found {self.flags!r}")
        return found[0]


@dataclass
class Section:
    """What stands below a heading. One of the three lists is filled."""

    title: str
    options: list[Option] = field(default_factory=list)
    commands: list[tuple[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


@dataclass
class Help:
    words: tuple[str, ...]
    """The names behind `portcullis`."""
    about: list[str] = field(default_factory=list)
    usage: list[str] = field(default_factory=list)
    sections: list[Section | str] = field(default_factory=list)
    """Sections and paragraphs, in their order."""
    exits: list[tuple[str, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return " ".join(("portcullis", *self.words))

    @property
    def commands(self) -> list[tuple[str, str]]:
        parts = [part for part in self.sections if isinstance(part, Section)]
        return [entry for part in parts for entry in part.commands]

    @property
    def options(self) -> list[Option]:
        parts = [part for part in self.sections if isinstance(part, Section)]
        return [entry for part in parts for entry in part.options]


def read(words: tuple[str, ...], text: str) -> Help:
    help_ = Help(words)
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if not line.strip():
            continue
        begin = number
        is_section = HEADING.match(line) is not None
        while number < len(lines) and _goes_on(lines[number], is_section, line):
            number += 1
        inner = lines[begin:number]
        if is_section:
            help_.sections.append(_section(line.removesuffix(":"), inner))
        elif line.startswith("Usage: "):
            help_.usage = [part.removeprefix("Usage:").strip() for part in (line, *inner)]
        else:
            _add_paragraph(help_, " ".join((line, *inner)))
    if not help_.usage or not help_.about:
        raise HelpFault(f"expected a description and `Usage:` in the help of {help_.name}")
    return help_


def _goes_on(line: str, is_section: bool, first: str) -> bool:
    if is_section or first.startswith("Usage: "):
        return line.startswith(" ") or (is_section and not line)
    return bool(line.strip()) and not HEADING.match(line)


def _add_paragraph(help_: Help, text: str) -> None:
    if text.startswith("Exit codes: "):
        parts = re.split(r", (?=\d+ )", text.removeprefix("Exit codes: ").removesuffix("."))
        split = (part.partition(" ") for part in parts)
        help_.exits = [(code, meaning) for code, _, meaning in split]
    elif help_.usage:
        help_.sections.append(text)
    else:
        help_.about.append(text)


def _section(title: str, lines: list[str]) -> Section:
    first = next((line for line in lines if line.strip()), "")
    if title == "Commands":
        return Section(title, commands=_commands(lines))
    if ENTRY.match(first):
        options = [_option(flags, text) for flags, text in _entries(lines)]
        return Section(title, options=[option for option in options if option.flags not in FOR_ALL])
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return Section(title, lines=[line.removeprefix("  ") for line in lines])


def _commands(lines: list[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith("   ") and found:
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
        elif line.strip():
            name, _, text = line.strip().partition(" ")
            found.append((name, text.strip()))
    return found


def _entries(lines: list[str]) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        if entry := ENTRY.match(line):
            found.append((entry["flags"], []))
        else:
            found[-1][1].append(line.strip())
    return found


def _option(flags: str, lines: list[str]) -> Option:
    option = Option(flags, "")
    paragraphs = [part.split("\n") for part in re.split(r"\n{2,}", "\n".join(lines).strip())]
    words = []
    for paragraph in paragraphs:
        if paragraph[0] == "Possible values:":
            option.values = _values(paragraph[1:])
        else:
            words.append(" ".join(paragraph))
    text = NOTE.sub(lambda note: _note(option, note), " ".join(words)).strip()
    option.text, _, default = text.partition(". Default: ")
    option.default = option.default or default
    return option


def _values(lines: list[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for line in lines:
        if value := VALUE.match(line):
            found.append((value["name"], value["text"]))
        else:
            found[-1] = (found[-1][0], f"{found[-1][1]} {line}")
    return found


def _note(option: Option, note: re.Match[str]) -> str:
    name, text = note["name"], note["text"]
    if name == "possible values":
        option.values = [(value, "") for value in text.split(", ")]
    elif name == "env":
        option.environment, _, rest = text.partition("; ")
        for word in ("default for a token", "default"):
            if rest.startswith(f"{word}: "):
                option.default = _default(word, rest.removeprefix(f"{word}: "))
                break
        else:
            option.environment = text
    else:
        option.default = _default(name, text)
    return ""


def _default(name: str, text: str) -> str:
    condition = name.removeprefix("default").strip()
    if condition:
        return f"{condition}: {text}"
    return f"`{text}`" if " " not in text else text
