"""Settings as TOML: Python can only read it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast


def write_toml(settings: Mapping[str, Any]) -> str:
    """Settings as TOML, each on its line."""
    lines = [f"{name} = {_toml(value)}" for name, value in settings.items() if value is not None]
    return "\n".join(lines)


def _toml(value: object) -> str:
    match value:
        case bool() | int() | float() | str():
            # A DEL is the only character that JSON allows and TOML does not.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case Mapping():
            members = cast("Mapping[str, object]", value).items()
            written = [f"{_toml(name)} = {_toml(it)}" for name, it in members if it is not None]
            return "{" + ", ".join(written) + "}"
        case Sequence() if not isinstance(value, bytes):
            return "[" + ", ".join(_toml(it) for it in cast("Sequence[object]", value)) + "]"
        case _:
            raise TypeError(f"expected a setting, found {type(value).__name__}")
