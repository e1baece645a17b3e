"""python-jose, as most tutorials have it: a scheme of FastAPI, and a cached key set."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jose import JWTError, jwt

from apps.common import AUDIENCE, ISSUER, bare_app, fetch_key_set

bearer = HTTPBearer()
key_set = fetch_key_set()


async def caller(credential: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str:
    """The subject of a verified token."""
    try:
        claims = jwt.decode(
            credential.credentials, key_set, ["RS256"], audience=AUDIENCE, issuer=ISSUER
        )
    except JWTError:
        raise HTTPException(401, headers={"www-authenticate": "Bearer"}) from None
    return str(claims["sub"])


def make_app() -> FastAPI:
    """The application."""
    app = bare_app()

    @app.get("/me")
    async def me(subject: Annotated[str, Depends(caller)]) -> dict[str, str]:
        return {"subject": subject}

    return app
