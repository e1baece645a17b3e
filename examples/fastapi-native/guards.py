"""Who may do what, one name for each demand."""

from typing import Annotated

from fastapi import Depends, HTTPException, Security
from portcullis_auth.fastapi import Portcullis, Token

# OAUTH2_ISSUER and OAUTH2_AUDIENCE, from the environment or `.env`.
auth = Portcullis(
    scopes={"orders:read": "Read your orders", "orders:write": "Make and delete orders"}
)

Caller = Annotated[Token, Depends(auth)]
Reader = Annotated[Token, Security(auth, scopes=["orders:read"])]
Writer = Annotated[Token, Security(auth, scopes=["orders:write"])]
admins_only = auth.require(role="Admin")

Owner = tuple[str, str, str]


def owner_of(token: Token) -> Owner:
    """The key of a caller's data. An identifier means something only together with its issuer."""
    if token.user_id is None:
        # All callers without an identifier would share their orders.
        raise HTTPException(403, "the token does not identify its caller")
    # A person's identifier may equal a client's.
    return token.issuer, token.kind or "", token.user_id
