"""A token that is kept until shortly before it expires."""

import time

from portcullis_auth._portcullis import IssuedToken

MARGIN = 30.0
"""A token is not used any more so many seconds before it expires, or a tenth of its life."""


class KeptToken:
    """A token, and until when it is used."""

    def __init__(self, token: IssuedToken) -> None:
        now = time.time()
        self.token = token
        self._until = token.expires - min(MARGIN, max(0.0, token.expires - now) / 10)

    def is_fresh(self) -> bool:
        """Whether it may still be used."""
        return time.time() < self._until
