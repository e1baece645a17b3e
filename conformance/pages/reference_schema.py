"""The settings, table by table, from the schema that `portcullis config schema` prints."""

import re
from dataclasses import dataclass, field
from typing import Any

from reference_text import capital, code, joined, sentences

Node = dict[str, Any]

AS_WRITTEN = re.compile(r"^(?:[^.:`]|`[^`]+`)*, as written(?:: `[^`]+`)?[.:]\s*")
"""How the code's comments begin: the heading of the page's section says it already."""
OWN_TABLE = re.compile(r": the table `\[[^`]+\]`")
UNITS = (
    (r"[Ff]ewest bytes a second", "bytes a second"),
    (r"[Mm]ost bytes|[Ii]n bytes", "bytes"),
    (r"[Ii]n (milliseconds|seconds|minutes|hours|days)\b", None),
)


class SchemaFault(Exception):
    """What the pages cannot be made of."""


@dataclass
class Setting:
    path: str
    kind: str
    default: str | None
    """None where it is required."""
    meaning: str
    variants: list[str] = field(default_factory=list)
    has_told_default: bool = True
    """Whether the schema says what holds without the setting."""

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def is_dangerous(self) -> bool:
        return self.name.startswith("danger_")


@dataclass
class Table:
    path: str
    is_list: bool
    meaning: str
    settings: list[Setting] = field(default_factory=list)

    @property
    def header(self) -> str:
        return f"[[{self.path}]]" if self.is_list else f"[{self.path}]"


class Reader:
    """Walks through a schema. A table that holds itself, as requirements do, refers to itself."""

    def __init__(self, schema: Node) -> None:
        self.definitions: dict[str, Node] = schema["$defs"]
        self.above: dict[str, str] = {}
        """Where the tables are in which we are, by the names of their definitions."""
        self.tables: list[Table] = []
        self._walk(Table("", False, ""), schema, "")

    def _walk(self, table: Table, node: Node, name: str) -> None:
        self.above[name] = table.path
        self.tables.append(table)
        inner: list[tuple[Table, Node, str]] = []
        for key, member in node["properties"].items():
            path = f"{table.path}.{key}".lstrip(".")
            found = self._table(member)
            if found is None or found[1] in self.above:
                required = key in node.get("required", [])
                table.settings.append(self._setting(path, member, required, table))
            else:
                definition, known, is_list = found
                meaning = self._meaning(path, member, definition)
                inner.append((Table(path, is_list, meaning), definition, known))
        for part in inner:
            self._walk(*part)
        del self.above[name]

    def _table(self, member: Node) -> tuple[Node, str, bool] | None:
        """The table that a member stands for, its name, and whether there can be several."""
        alone = _without_null(member)
        is_list = alone.get("type") == "array"
        name = (alone["items"] if is_list else alone).get("$ref", "").rpartition("/")[2]
        definition = self.definitions.get(name, {})
        return (definition, name, is_list) if "properties" in definition else None

    def _meaning(self, path: str, member: Node, definition: Node) -> str:
        own = OWN_TABLE.sub("", self._description(path, member))
        more = joined(definition.get("description", ""))
        if found := AS_WRITTEN.match(more):
            more = capital(more[found.end() :])
        if more.startswith("Without it"):
            own = " ".join(part for part in sentences(own) if not part.startswith("Default"))
        is_said_twice = _plain(more).startswith(_plain(own).rstrip("."))
        return more if is_said_twice else f"{own} {more}".strip()

    def _description(self, path: str, member: Node) -> str:
        if text := joined(member.get("description", "")):
            return text
        raise SchemaFault(f"expected a description of {path} in the schema, found none")

    def _setting(self, path: str, member: Node, required: bool, table: Table) -> Setting:
        parts = sentences(self._description(path, member))
        told = [part for part in parts if part.startswith("Default")]
        meaning = " ".join(part for part in parts if part not in told)
        alone = _without_null(member)
        kind = self.kind(alone)
        default = _default(told, meaning, member, kind)
        for pattern, unit in UNITS if kind.startswith("whole number") else ():
            if found := re.search(pattern, meaning) or re.search(pattern, table.meaning):
                kind += f", in {unit or found[1]}"
                break
        return Setting(
            path,
            kind,
            None if required else default or "none",
            meaning,
            self._variants(alone),
            required or default is not None,
        )

    def _resolved(self, node: Node) -> Node:
        while "$ref" in node:
            node = self.definitions[node["$ref"].rpartition("/")[2]]
        return node

    def _flat(self, node: Node) -> list[Node]:
        """The alternatives of a node, those of its alternatives included."""
        node = self._resolved(node)
        choices = node.get("anyOf") or node.get("oneOf")
        if not choices:
            return [node]
        return [leaf for choice in choices for leaf in self._flat(choice)]

    def kind(self, node: Node) -> str:
        """The type in words."""
        name = node.get("$ref", "").rpartition("/")[2]
        if home := self.above.get(name):
            return f"table like [`[{home}]`](#{home})"
        leaves = self._flat(_without_null(node))
        if len(leaves) == 1:
            return self._leaf(leaves[0])
        kinds = list(dict.fromkeys(self._leaf(leaf) for leaf in leaves if leaf["type"] != "array"))
        if any(leaf["type"] == "array" for leaf in leaves):
            kinds.append("a list of these" if len(kinds) > 1 else f"list of {kinds[0]}s")
        return ", ".join(kinds[:-1]) + f" or {kinds[-1]}" if len(kinds) > 1 else kinds[0]

    def _leaf(self, node: Node) -> str:
        match _types(node):
            case ["string"] if "enum" in node:
                return "one of " + ", ".join(code(f'"{value}"') for value in node["enum"])
            case ["string"]:
                return "one character" if node.get("maxLength") == 1 else "string"
            case ["integer"]:
                maximum = node.get("maximum")
                return f"whole number, at most {maximum}" if maximum else "whole number"
            case ["boolean"]:
                return "boolean"
            case ["array"]:
                kind = self.kind(node["items"])
                word, _, rest = kind.partition(" ")
                return f"list of {word}s {rest}".rstrip()
            case ["object"] if "properties" in node:
                return code(_inline(node))
            case ["object"] if node.get("additionalProperties", True) is True:
                return "table"
            case ["object"]:
                kind = self.kind(node["additionalProperties"])
                return f"table, each value a {kind}"
        raise SchemaFault(f"expected a type that the pages know, found {node}")

    def _is_choice(self, node: Node) -> bool:
        resolved = self._resolved(node)
        return "anyOf" in resolved or "oneOf" in resolved

    def _variants(self, node: Node) -> list[str]:
        """What the alternatives mean, where that says more than their types."""
        if _types(node) == ["object"] and "properties" not in node:
            node = node.get("additionalProperties", True)
        if node is True or not self._is_choice(node):
            return []
        found = []
        for leaf in self._flat(node):
            text = joined(leaf.get("description", ""))
            if "const" in leaf:
                found.append(f"{code(quoted(leaf['const']))}: {text}")
            elif "properties" in leaf:
                found.append(f"{code(_inline(leaf))}: {text}")
            elif len(text) > len("A whole number."):
                found.append(text if text.startswith("`") else f"{self._leaf(leaf)}: {text}")
        return found


def _inline(node: Node) -> str:
    inside = ", ".join(f'{name} = "..."' for name in node["properties"])
    return f"{{ {inside} }}"


def quoted(text: str) -> str:
    return f'"{text}"'


def _plain(text: str) -> str:
    return re.sub(r"\b(the|an?) ", "", text.lower())


def _types(node: Node) -> list[str]:
    found = node.get("type", "null")
    return [kind for kind in ([found] if isinstance(found, str) else found) if kind != "null"]


def _without_null(node: Node) -> Node:
    if choices := node.get("anyOf"):
        rest = [choice for choice in choices if choice.get("type") != "null"]
        return rest[0] if len(rest) == 1 else {"anyOf": rest}
    return node


def _default(told: list[str], meaning: str, member: Node, kind: str) -> str | None:
    """What holds without the setting, in words; None where the schema does not say."""
    if told:
        text = " ".join(told).removeprefix("Default").removeprefix(":").strip().removesuffix(".")
        text = re.sub(r"^(true|false)\b", r"`\1`", text)
        text = re.sub(r"^no\b", "`false`", text) if kind == "boolean" else text
        text = re.sub(r"^\d[\d,]*\d|^\d", lambda found: code(number(found[0])), text)
        return re.sub(r"^`([^`]+)`", r'`"\1"`', text) if kind == "string" else text
    if found := re.search(r"`([^`]+)` \(default\)", meaning):
        return code(f'"{found[1]}"' if kind == "string" else found[1])
    value = member.get("default")
    if isinstance(value, bool):
        return code(str(value).lower())
    if isinstance(value, int):
        return code(number(str(value)))
    return None if value is None else "none"


def number(text: str) -> str:
    """As TOML takes it: long ones with underscores."""
    value = int(text.replace(",", ""))
    return f"{value:_}" if value >= 10_000 else str(value)
