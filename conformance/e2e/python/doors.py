"""The doors of the Python package, for the suite that asks every door the same questions: an
application that tells which headers it saw, behind each of the two middlewares.

The settings, the keys and the time stand in the file that PORTCULLIS_DOORS names. The first line of
the output is the address.
"""

import json
import os
import sys
from pathlib import Path

from portcullis_auth import _portcullis, asgi, wsgi

DOORS = json.loads(Path(os.environ["PORTCULLIS_DOORS"]).read_text())


def server():
    return _portcullis._corpus_server(DOORS["settings"], DOORS["key_sets"], DOORS["now"])


async def asgi_application(scope, receive, send):
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
    body = json.dumps(headers).encode()
    start = {"type": "http.response.start", "status": 200, "headers": []}
    await send({**start, "headers": [(b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


def wsgi_application(environ, start_response):
    body = json.dumps(sorted(wsgi.headers_of(environ))).encode()
    start_response("200 OK", [("content-length", str(len(body)))])
    return [body]


def serve_asgi():
    import uvicorn

    class Announcing(uvicorn.Server):
        async def startup(self, sockets=None):
            await super().startup(sockets)
            host, port = self.servers[0].sockets[0].getsockname()
            print(f"listening at {host}:{port}", flush=True)

    app = asgi.PortcullisMiddleware(asgi_application, server())
    Announcing(uvicorn.Config(app, port=0, lifespan="off", log_level="error")).run()


def serve_wsgi():
    from gunicorn.app.base import BaseApplication

    class Application(BaseApplication):
        def load_config(self):
            self.cfg.set("bind", "127.0.0.1:0")
            self.cfg.set("loglevel", "error")
            self.cfg.set("when_ready", announce)

        def load(self):
            # In the worker, after the fork.
            return wsgi.PortcullisMiddleware(wsgi_application, server())

    def announce(arbiter):
        host, port = arbiter.LISTENERS[0].sock.getsockname()
        print(f"listening at {host}:{port}", flush=True)

    Application().run()


if __name__ == "__main__":
    {"asgi": serve_asgi, "wsgi": serve_wsgi}[sys.argv[1]]()
