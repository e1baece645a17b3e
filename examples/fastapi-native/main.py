"""The enterprise API: three operations, orders, and two streams, behind access tokens."""

from fastapi import FastAPI

import orders
from guards import Caller, admins_only, auth

# `/docs` signs in as the client `web`, which has to be registered at the identity provider.
app = FastAPI(
    title="Enterprise API",
    lifespan=auth.lifespan,
    swagger_ui_init_oauth={"clientId": "web"},
)
auth.install(app)
app.include_router(orders.router)


@app.get("/public-data")
def public_data() -> dict[str, str]:
    """Anyone may read this."""
    return {"message": "anyone may read this"}


@app.get("/protected-data")
def protected_data(token: Caller) -> dict[str, str]:
    """Any valid token will do."""
    return {"message": f"Hello, {token.name}!"}


@app.get("/admin-dashboard", dependencies=[admins_only])
def admin_dashboard() -> dict[str, str]:
    """The caller needs the role Admin."""
    return {"message": "Welcome to the admin dashboard!"}
