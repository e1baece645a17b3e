"""Tests of protected applications: a development identity provider, and callers without one.

>>> with Idp() as idp:
...     response = client.get("/orders", headers=idp.bearer("alice", scope="orders:read"))
>>>
>>> with override_caller(app, auth, subject="alice", roles=["Admin"]):
...     response = client.get("/reports")

Nothing of this is for production: everybody can get every token.
"""

from portcullis_auth.testing.flaws import FLAWS, Flaw
from portcullis_auth.testing.override import override_caller
from portcullis_auth.testing.provider import Idp
from portcullis_auth.testing.signer import Signer

__all__ = ["FLAWS", "Flaw", "Idp", "Signer", "override_caller"]
