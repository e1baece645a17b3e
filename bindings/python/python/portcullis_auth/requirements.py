"""The words of requirements, as in ``portcullis.toml``.

They combine with ``&``, ``|`` and ``~`` too: ``user() & scope("orders:write") & ~group("guests")``.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from portcullis_auth import _portcullis
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


def combine(
    *requirements: Requirement,
    scope: str | Iterable[str] = (),
    role: str | None = None,
    group: str | None = None,
    kind: Literal["user", "application"] | None = None,
    acr: str | Iterable[str] = (),
    max_age: int | None = None,
    claims: Mapping[str, str | bool | int | float] | None = None,
) -> Requirement:
    """One requirement that demands all of these.

    Several scopes are demanded together; of several values of ``acr``, one is enough. ``max_age``
    is in seconds. Raises ``ValueError`` if nothing is demanded.
    """
    demands = list(requirements)
    demands += [_portcullis.scope(name) for name in texts(scope)]
    demands += [] if role is None else [_portcullis.role(role)]
    demands += [] if group is None else [_portcullis.group(group)]
    demands += [] if kind is None else [_kind(kind)]
    values = texts(acr)
    demands += [_portcullis.acr(*values)] if values else []
    demands += [] if max_age is None else [_portcullis.max_age(max_age)]
    demands += [_portcullis.claim(name, value) for name, value in (claims or {}).items()]
    return all_of(*demands)


def texts(one_or_more: str | Iterable[str]) -> list[str]:
    """The texts of an argument that may be one text."""
    return [one_or_more] if isinstance(one_or_more, str) else list(one_or_more)


def _kind(kind: str) -> Requirement:
    match kind:
        case "user":
            return user()
        case "application":
            return application()
        case _:
            message = f'expected kind "user" or "application", found {kind!r}'
            raise ValueError(message)
