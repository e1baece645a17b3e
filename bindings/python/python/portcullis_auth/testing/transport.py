"""The requests by which a test controls the development identity provider."""

import json
from http.client import HTTPConnection
from urllib.parse import urlsplit


def send(issuer: str, method: str, path: str, body: str = "", content_type: str = "") -> str:
    """The body of a response. Raises ``ValueError`` if the provider refuses."""
    # Without `urllib.request`: a proxy of the environment is not for loopback.
    connection = HTTPConnection(urlsplit(issuer).netloc, timeout=30)
    try:
        headers = {"content-type": content_type} if content_type else {}
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        text = response.read().decode()
    finally:
        connection.close()
    if response.status >= 400:
        raise ValueError(_problem(response.status, text))
    return text


def _problem(status: int, text: str) -> str:
    try:
        body = json.loads(text)
        return str(body.get("error_description") or body["error"])
    except (ValueError, KeyError, AttributeError):
        return f"the identity provider responded with {status}"
