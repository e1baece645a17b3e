"""The path that an application sees, as a request target.

The decision has to be about the path that the application routes by. Its server has undone the
escapes, so they are put back: a path that was sent as ``/a%2Fb`` is ``/a/b`` here, as it is for the
application.
"""

from urllib.parse import quote, urlsplit

PLAIN = "/-._~!$&'()*+,:@="
"""The characters that a path may hold (RFC 3986, section 3.3), without the semicolon."""


def target(path: str | bytes, query: str) -> str:
    """Path and query, escaped."""
    # A path that is no text in UTF-8 gets escapes that are none either, and is refused for them.
    escaped = (
        quote(path, safe=PLAIN, errors="surrogatepass")
        if isinstance(path, str)
        else quote(path, safe=PLAIN)
    )
    return f"{escaped}?{query}" if query else escaped


def path_of(target: str) -> str:
    """The path of a target as it was sent, in origin form or in absolute form (RFC 9112, section
    3.2)."""
    if not target.startswith("/"):
        # The path of `//host` begins with two slashes: only a scheme makes an absolute form.
        return urlsplit(target).path or "/"
    return target.partition("?")[0]
