"""The origins that tokens may go to."""

import ipaddress
import re
from urllib.parse import urlsplit

from portcullis_auth._errors import ConfigError

Origin = tuple[str, str, int]
"""Scheme, host and port."""
PORTS = {"https": 443, "http": 80}
"""The port of a scheme, where a URL names none."""


def parse_origin(text: str) -> Origin:
    """The origin in the settings. Raises ``ConfigError`` for one that no token may go to."""
    problem = _find_problem(text)
    if problem:
        help_text = "write the API's origin: `https://`, the host, and the port if it is not 443"
        raise ConfigError(f"origins: {problem}, found {text!r}; help: {help_text}")
    origin = origin_of_url(text)
    if origin is None:
        raise ConfigError(f"origins: expected an origin, found {text!r}")
    return origin


def _find_problem(text: str) -> str | None:
    """The problem of an origin in the settings, if it has one."""
    origin = origin_of_url(text)
    # Written exactly: the parser alone would mend some of it.
    if origin is None or not re.fullmatch(r"https?://[A-Za-z0-9._:\[\]-]+/?", text):
        return "expected an origin such as https://api.example, without a path"
    scheme, host, _port = origin
    if scheme == "http" and not _is_loopback(host):
        # A token in clear text is anybody's.
        return "expected https, or http on loopback"
    return None


def _is_loopback(host: str) -> bool:
    # Not `*.localhost`: some resolvers ask the network for those.
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin_of_url(url: str | None) -> Origin | None:
    """The origin of a URL; ``None`` for one that is not of HTTP."""
    try:
        parts = urlsplit(url or "")
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in PORTS or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, PORTS[parts.scheme] if port is None else port
