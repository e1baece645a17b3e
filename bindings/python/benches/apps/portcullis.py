"""This package."""

from typing import Annotated

from fastapi import Depends, FastAPI

from apps.common import bare_app
from portcullis_auth.fastapi import Portcullis, Token


def make_app() -> FastAPI:
    """The application."""
    app = bare_app()
    auth = Portcullis()
    auth.install(app)

    @app.get("/me")
    async def me(token: Annotated[Token, Depends(auth)]) -> dict[str, str]:
        return {"subject": token.subject or ""}

    return app
