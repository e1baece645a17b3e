"""The usual enterprise API, as anybody would write it: there is nothing about tokens in it.

Who may call what stands in portcullis.toml beside this file. The gateway tells who calls in headers; whoever reads
them relies on it that this API can be reached through the gateway only.
"""

from typing import Annotated
from urllib.parse import unquote

from fastapi import FastAPI, Header, Request

app = FastAPI(title="Enterprise API")


@app.get("/public-data")
def public_data():
    return {"message": "anyone may read this"}


@app.get("/protected-data")
def protected_data(
    x_auth_subject: Annotated[str | None, Header()] = None,
    x_auth_client: Annotated[str | None, Header()] = None,
):
    caller = unquote(x_auth_subject or x_auth_client or "nobody")
    return {"message": f"Hello, {caller}!"}


@app.get("/admin-dashboard")
def admin_dashboard():
    return {"message": "Welcome to the admin dashboard!"}


@app.get("/whoami")
def whoami(request: Request):
    """All that the API is told about the request, to see what the gateway sets and removes."""
    return {"headers": request.headers.items()}
