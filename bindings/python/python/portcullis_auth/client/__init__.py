"""Tokens for calls to other APIs: sources that get them, and what puts them into requests.

>>> source = ClientCredentials(Client(issuer, "orders", secret), scope="stock:read")
>>> http = httpx.Client(auth=BearerAuth(source, "https://stock.example"))
>>> session.auth = RequestsAuth(source, "https://stock.example")    # of requests
"""

from portcullis_auth._errors import (
    InvalidTokenResponse,
    TokenError,
    TokenRefused,
    TokenUnavailable,
)
from portcullis_auth._portcullis import Client, IssuedToken, TokenResponse
from portcullis_auth.client.attachment import BoundTokenError
from portcullis_auth.client.exchange import Exchange
from portcullis_auth.client.httpx import BearerAuth
from portcullis_auth.client.requests import RequestsAuth
from portcullis_auth.client.sources import ClientCredentials, TokenSource
from portcullis_auth.client.user_session import UserSession

__all__ = [
    "BearerAuth",
    "BoundTokenError",
    "Client",
    "ClientCredentials",
    "Exchange",
    "InvalidTokenResponse",
    "IssuedToken",
    "RequestsAuth",
    "TokenError",
    "TokenRefused",
    "TokenResponse",
    "TokenSource",
    "TokenUnavailable",
    "UserSession",
]
