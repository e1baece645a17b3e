"""The application of `examples/fastapi-native`, with a documentation page that loads Swagger UI
from an address of the test. FastAPI's own page loads it from a CDN, which tests do not reach.

``SWAGGER_UI`` is that address, ``PORT`` the port to listen on at 127.0.0.1. Prints a line when it
listens, and its page can sign in.
"""

import os
import socket
import sys
from pathlib import Path

import uvicorn
from fastapi import Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.routing import Route

EXAMPLE = Path(__file__).parents[3] / "examples" / "fastapi-native"
sys.path.insert(0, str(EXAMPLE))

from guards import auth  # noqa: E402
from main import app  # noqa: E402


async def show_docs(_request: Request) -> HTMLResponse:
    """The page as FastAPI makes it, but for the addresses of its files."""
    files = os.environ["SWAGGER_UI"]
    return get_swagger_ui_html(
        openapi_url=str(app.openapi_url),
        title=app.title,
        oauth2_redirect_url=app.swagger_ui_oauth2_redirect_url,
        init_oauth=app.swagger_ui_init_oauth,
        swagger_js_url=f"{files}/swagger-ui-bundle.js",
        swagger_css_url=f"{files}/swagger-ui.css",
        swagger_favicon_url=f"{files}/favicon-32x32.png",
    )


# The first route that matches is taken: this one, and not FastAPI's.
app.router.routes.insert(0, Route("/docs", show_docs))


class AnnouncingServer(uvicorn.Server):
    """A server that tells its parent when it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # FastAPI keeps the first document that it makes: it has to name the endpoints.
        await auth.discover()
        print(f"docs at http://127.0.0.1:{self.config.port}/docs", flush=True)


if __name__ == "__main__":
    config = uvicorn.Config(app, port=int(os.environ["PORT"]), log_level="error")
    AnnouncingServer(config).run()
