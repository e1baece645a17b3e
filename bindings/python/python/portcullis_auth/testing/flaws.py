"""The flaws of tokens."""

from typing import Literal

Flaw = Literal[
    "expired",
    "not-yet-valid",
    "wrong-key",
    "unsigned",
    "hmac",
    "flipped",
    "wrong-audience",
    "wrong-issuer",
    "unknown-key",
]
"""The flaws that a token can be ordered with."""

FLAWS: tuple[Flaw, ...] = (
    "expired",
    "not-yet-valid",
    "wrong-key",
    "unsigned",
    "hmac",
    "flipped",
    "wrong-audience",
    "wrong-issuer",
    "unknown-key",
)
"""All of them, for ``pytest.mark.parametrize``."""
