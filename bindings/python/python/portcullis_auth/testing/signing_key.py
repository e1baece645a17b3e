"""A key that signs tokens."""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

# The curve P-256 (FIPS 186-5): a key takes no time to make, and needs no other package.
_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_Point = tuple[int, int]


class SigningKey:
    """A private key for ES256. For tests only: the time that it takes depends on the key."""

    def __init__(self, token_type: str) -> None:
        self._type = token_type
        self._secret = 1 + secrets.randbelow(_N - 1)
        x, y = _multiply(self._secret)
        self._kid = secrets.token_urlsafe(8)
        self.public = {
            "kty": "EC",
            "crv": "P-256",
            "alg": "ES256",
            "use": "sig",
            "kid": self._kid,
            "x": _base64url(x.to_bytes(32)),
            "y": _base64url(y.to_bytes(32)),
        }

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The claims as a signed JWT (RFC 7515, RFC 9068)."""
        header = {"alg": "ES256", "typ": self._type, "kid": self._kid}
        parts = [_base64url(json.dumps(part).encode()) for part in (header, claims)]
        text = ".".join(parts)
        digest = int.from_bytes(hashlib.sha256(text.encode()).digest())
        nonce = 1 + secrets.randbelow(_N - 1)
        r = _multiply(nonce)[0] % _N
        s = pow(nonce, -1, _N) * (digest + r * self._secret) % _N
        return f"{text}.{_base64url(r.to_bytes(32) + s.to_bytes(32))}"


def _multiply(factor: int) -> _Point:
    """A multiple of the base point, by doubling and adding."""
    result: _Point | None = None
    power = _G
    while factor:
        if factor & 1:
            result = power if result is None else _add(result, power)
        power = _add(power, power)
        factor >>= 1
    assert result is not None  # noqa: S101
    return result


def _add(left: _Point, right: _Point) -> _Point:
    """The sum of two points that are not opposite: below the order of the curve none are."""
    (x1, y1), (x2, y2) = left, right
    if left == right:
        slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, _P) % _P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, _P) % _P
    x = (slope * slope - x1 - x2) % _P
    return x, (slope * (x1 - x) - y1) % _P


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
