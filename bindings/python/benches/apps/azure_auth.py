"""fastapi-azure-auth, unchanged, with the metadata of another provider: a parameter allows that."""

from typing import Annotated

from fastapi import FastAPI, Security
from fastapi_azure_auth.auth import AzureAuthorizationCodeBearerBase
from fastapi_azure_auth.user import User

from apps.common import AUDIENCE, METADATA, bare_app

scheme = AzureAuthorizationCodeBearerBase(
    app_client_id=AUDIENCE, tenant_id="local", openid_config_url=METADATA
)


def make_app() -> FastAPI:
    """The application."""
    app = bare_app()

    @app.get("/me")
    async def me(user: Annotated[User, Security(scheme)]) -> dict[str, str]:
        return {"subject": user.sub}

    return app
