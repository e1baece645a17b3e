"""Tokens in the name of a user."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from portcullis_auth._errors import TokenError, TokenRefused, TokenUnavailable
from portcullis_auth._portcullis import Client, IssuedToken, TokenResponse
from portcullis_auth.client.kept_token import MARGIN, KeptToken


class UserSession:
    """Tokens in the name of a user, by a refresh token (RFC 6749, section 6).

    One refresh serves all callers, in threads and in event loops, and goes on if a caller gives
    up: a provider that rotates refresh tokens would otherwise end the session. ``on_refresh`` gets
    each new refresh token before any token of that response is used, on a thread of its own, to
    store it. If it raises, the callers get its exception, and the next call gives it the same
    token again.

    A session belongs to one process, and to one object there: two of them would use the same
    refresh token twice, which ends the session at many providers.
    """

    def __init__(
        self,
        client: Client,
        refresh_token: str,
        *,
        scope: str | None = None,
        resource: str | None = None,
        audience: str | None = None,
        on_refresh: Callable[[str], None] | None = None,
    ) -> None:
        self._client = client
        self._refresh_token = refresh_token
        self._scope = scope
        self._target: dict[str, str | None] = {"resource": resource, "audience": audience}
        self._on_refresh = on_refresh
        self._lock = threading.Lock()
        self._kept: KeptToken | None = None
        self._renewal: Future[IssuedToken] | None = None
        self._unsaved: TokenResponse | None = None
        self._failure = _Failure()
        self._last_invalidation = -MARGIN

    async def token(self) -> IssuedToken:
        """The token to use now.

        Raises ``TokenRefused`` once the session is over, for good, and ``TokenUnavailable`` while
        the provider cannot be reached.
        """
        found = self._find_or_renew()
        return found if isinstance(found, IssuedToken) else await asyncio.wrap_future(found)

    def token_blocking(self) -> IssuedToken:
        """Like ``token``, but waits. Not for the thread of an event loop."""
        found = self._find_or_renew()
        return found if isinstance(found, IssuedToken) else found.result()

    def invalidate(self, token: IssuedToken) -> bool:
        """Drops a token that an API rejected. Whether another one can be had now: after one
        rejection, the next counts in half a minute."""
        with self._lock:
            if self._kept is None or self._kept.token.text != token.text:
                # Somebody else dropped it before.
                return True
            now = time.monotonic()
            if now - self._last_invalidation < MARGIN:
                return False
            self._last_invalidation = now
            self._kept = None
            return True

    def _find_or_renew(self) -> "IssuedToken | Future[IssuedToken]":
        with self._lock:
            if self._kept is not None and self._kept.is_fresh():
                return self._kept.token
            if self._renewal is None:
                self._failure.check()
                renewal: Future[IssuedToken] = Future()
                # A cancelled caller must not cancel it for the others.
                renewal.set_running_or_notify_cancel()
                # A process that ends waits for it: else the new refresh token would be lost.
                threading.Thread(target=self._run_renewal, args=(renewal,)).start()
                # Without a thread nobody would end it; with one, it ends after this lock.
                self._renewal = renewal
            return self._renewal

    def _run_renewal(self, renewal: "Future[IssuedToken]") -> None:
        try:
            kept = self._renew()
        except BaseException as error:
            with self._lock:
                self._failure = _Failure(error)
                self._renewal = None
            renewal.set_exception(error)
        else:
            with self._lock:
                self._kept = kept
                self._renewal = None
            renewal.set_result(kept.token)

    def _renew(self) -> "KeptToken":
        if self._unsaved is not None:
            self._save(self._unsaved)
        response = self._client.refresh_blocking(self._refresh_token, self._scope, **self._target)
        self._unsaved = response
        kept = KeptToken(response.access_token)
        self._save(response)
        return kept

    def _save(self, response: TokenResponse) -> None:
        new = response.refresh_token
        if new is not None and new != self._refresh_token:
            if self._on_refresh is not None:
                self._on_refresh(new)
            self._refresh_token = new
        self._unsaved = None


class _Failure:
    """Why the last refresh failed, so that the provider is not asked about it over and over."""

    def __init__(self, error: BaseException | None = None) -> None:
        self._make: Callable[[], TokenError] | None = None
        self._until: float | None = None
        if isinstance(error, TokenRefused) and error.error == "invalid_grant":
            refused = (str(error), error.error, error.status)
            self._make = lambda: TokenRefused(*refused)
        elif isinstance(error, TokenUnavailable):
            unavailable = (str(error), error.retry_after)
            self._until = time.monotonic() + error.retry_after
            self._make = lambda: TokenUnavailable(*unavailable)

    def check(self) -> None:
        """Raises it while asking again cannot help."""
        if self._make is not None and (self._until is None or time.monotonic() < self._until):
            raise self._make()
