"""What the gateway stands between: an identity provider, an API, and a caller."""

import http.client
import subprocess
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from machine import wait

ISSUER = "http://127.0.0.1:9000"
SETTINGS = f"""
[[issuer]]
url = "{ISSUER}"
audience = ["api://enterprise-api"]

[gateway]
listen = "127.0.0.1:8080"
upstream = "http://127.0.0.1:8000"
admin = {{ listen = "127.0.0.1:9901" }}

[[route]]
path = "/public-data"
access = "public"
"""


def beyond_loopback() -> str:
    """The settings for all addresses, as if TLS ended in front of the gateway."""
    own = 'listen = "127.0.0.1:8080"'
    return SETTINGS.replace(own, 'listen = "0.0.0.0:8080"\ndanger_plain_http = true')


def keeping_files() -> str:
    """The settings with both files that the service itself writes."""
    issuer = f'url = "{ISSUER}"'
    snapshot = 'key_snapshot = "/var/lib/portcullis/keys.json"'
    log = '[log]\naudit = "/var/log/portcullis/audit.jsonl"'
    return SETTINGS.replace(issuer, f"{issuer}\n{snapshot}") + f"\n{log}\n"


class Api(BaseHTTPRequestHandler):
    slow = threading.Event()
    """Set when a request for a slow answer has come."""

    def do_GET(self) -> None:
        if self.path.endswith("slow"):
            self.slow.set()
            time.sleep(2)
        body = (self.headers.get("x-auth-subject") or "nobody").encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def serve_api() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 8000), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def start_provider(program: str) -> subprocess.Popen[bytes]:
    command = [program, "idp", "--listen", "127.0.0.1:9000"]
    provider = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert wait(lambda: ask(9000, "/health")[0] == 200), "the provider does not start"
    return provider


def ask(port: int, path: str, token: str | None = None) -> tuple[int, str]:
    """The status and the body of an answer."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def token() -> str:
    connection = http.client.HTTPConnection("127.0.0.1", 9000, timeout=10)
    form = urllib.parse.urlencode({"user": "alice", "scope": "orders:read"})
    kind = {"content-type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/dev/token", form, kind)
    return connection.getresponse().read().decode().strip()
