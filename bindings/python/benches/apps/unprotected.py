"""No protection: a dependency that does nothing. All others are compared with it."""

from typing import Annotated

from fastapi import Depends, FastAPI

from apps.common import bare_app


async def caller() -> str:
    """The subject of nobody."""
    return "nobody"


def make_app() -> FastAPI:
    """The application."""
    app = bare_app()

    @app.get("/me")
    async def me(subject: Annotated[str, Depends(caller)]) -> dict[str, str]:
        return {"subject": subject}

    return app
