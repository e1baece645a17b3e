"""The words of requirements, as in ``portcullis.toml``.

They combine with ``&``, ``|`` and ``~`` too: ``user() & scope("orders:write") & ~group("guests")``.
"""

from portcullis_auth._portcullis import (
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
    "acr",
    "all_of",
    "any_of",
    "application",
    "claim",
    "group",
    "max_age",
    "not_",
    "role",
    "scope",
    "user",
]
