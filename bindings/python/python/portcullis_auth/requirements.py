"""The words of requirements, as in ``portcullis.toml``.

They combine with ``&``, ``|`` and ``~`` too: ``user() & scope("orders:write") & ~group("guests")``.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, TypedDict, Unpack

from portcullis_auth._portcullis import (
    Requirement,
    acr,
    all_of,
    any_of,
    application,
    claim,
    group,
    max_age,
    not_,
    role,
    scope,
    user,
)

__all__ = [
    "Requirement",
    "Words",
    "acr",
    "all_of",
    "any_of",
    "application",
    "claim",
    "combine",
    "group",
    "max_age",
    "not_",
    "role",
    "scope",
    "user",
]


class Words(TypedDict, total=False):
    """The demands that can be arguments, here and in the guards of each framework."""

    scope: str | Iterable[str]
    """The scopes, all of them."""
    role: str | None
    """A role."""
    group: str | None
    """A group."""
    kind: Literal["user", "application"] | None
    """For whom the token was issued."""
    acr: str | Iterable[str]
    """The ways in which the user signed in: one of them is enough (RFC 9470)."""
    max_age: int | None
    """The longest time since the user signed in, in seconds (RFC 9470)."""
    claims: Mapping[str, str | bool | int | float] | None
    """The claims that must have these values, or be arrays that hold them."""


def combine(*requirements: Requirement, **words: Unpack[Words]) -> Requirement:
    """One requirement that demands all of these. Raises ``ValueError`` if nothing is demanded, and
    ``TypeError`` for an unknown word."""
    unknown = words.keys() - Words.__annotations__.keys()
    if unknown:
        # A misspelt demand must not be one that nobody checks.
        known = ", ".join(Words.__annotations__)
        raise TypeError(f"expected one of {known}; found {', '.join(sorted(unknown))}")
    demands = list(requirements)
    demands += [scope(name) for name in texts(words.get("scope", ()))]
    if (role_name := words.get("role")) is not None:
        demands.append(role(_name("role", role_name)))
    if (group_name := words.get("group")) is not None:
        demands.append(group(_name("group", group_name)))
    if (kind_name := words.get("kind")) is not None:
        demands.append(_kind(kind_name))
    if values := texts(words.get("acr", ())):
        demands.append(acr(*values))
    if (seconds := words.get("max_age")) is not None:
        demands.append(max_age(seconds))
    demands += [claim(name, value) for name, value in (words.get("claims") or {}).items()]
    return all_of(*demands)


def texts(one_or_more: str | Iterable[str]) -> list[str]:
    """The texts of an argument that may be one text."""
    return [one_or_more] if isinstance(one_or_more, str) else list(one_or_more)


def _name(word: str, name: object) -> str:
    if isinstance(name, str):
        return name
    # A list of scopes means all of them, one of `acr` any: here, either could be meant.
    message = (
        f"expected {word} to be one name, found {type(name).__name__}; for one of several, "
        f'write any_of({word}("a"), {word}("b")), and for all of them all_of(...), of '
        f"portcullis_auth.requirements, in place of {word}=..."
    )
    raise TypeError(message)


def _kind(kind: str) -> Requirement:
    match kind:
        case "user":
            return user()
        case "application":
            return application()
        case _:
            message = f'expected kind "user" or "application", found {kind!r}'
            raise ValueError(message)
