"""The forms and settings of the development identity provider."""

from collections.abc import Iterable, Mapping
from typing import Any

Names = str | Iterable[str]
"""Names with spaces between them, or a list of names."""


def list_users(users: Mapping[str, Mapping[str, Any]] | None) -> list[dict[str, Any]] | None:
    """Users as the settings list them. The password is the username where none is given."""
    if users is None:
        return None
    return [{"password": name, **user, "username": name} for name, user in users.items()]


def list_clients(clients: Mapping[str, Mapping[str, Any]] | None) -> list[dict[str, Any]] | None:
    """Clients as the settings list them."""
    if clients is None:
        return None
    return [{**client, "id": name} for name, client in clients.items()]


def join_names(names: Names | None) -> str | None:
    """Names with spaces between them. Raises ``ValueError`` for one that has a space itself."""
    if names is None or isinstance(names, str):
        return names
    names = list(names)
    for name in names:
        # The provider would split it.
        if not name or len(name.split()) != 1:
            raise ValueError(f"expected a name without spaces, found {name!r}; use `claims`")
    return " ".join(names)


def write_flag(value: bool) -> str | None:
    """The value in a form: one that is false is left out."""
    return "true" if value else None


def write_fault(value: str | int | Mapping[str, Any]) -> str | dict[str, Any]:
    """A fault as the provider reads it."""
    return dict(value) if isinstance(value, Mapping) else str(value)
