"""Fixtures for pytest: an identity provider, and the environment of an application that trusts it.

pytest loads it by the entry point ``portcullis_auth``. It imports nothing of the package until a
test asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from portcullis_auth.testing import Idp

__all__ = ["idp", "portcullis_env", "portcullis_idp"]


@pytest.fixture(scope="session")
def portcullis_idp() -> Iterator[Idp]:
    """The provider behind ``idp``, started once. A fixture of this name in a ``conftest.py``
    replaces it: by one with other users, or of another dialect."""
    from portcullis_auth.testing import Idp

    with Idp() as running:
        yield running


@pytest.fixture
def idp(portcullis_idp: Idp) -> Iterator[Idp]:
    """A development identity provider. After each test its faults are cleared, its clock is right
    again, and the servers that trust it begin anew: no test depends on the keys of another."""
    yield portcullis_idp
    portcullis_idp.clear_faults()
    portcullis_idp.renew_servers()


@pytest.fixture
def portcullis_env(idp: Idp, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """``OAUTH2_ISSUER``, ``OAUTH2_AUDIENCE`` and ``OAUTH2_PROFILE`` of ``idp``, set for a test. All
    others that the package reads are blank: those of the application's ``.env`` do not count."""
    from portcullis_auth._portcullis import _VARIABLES

    variables = idp.env()
    # Blank and not deleted: what the environment lacks is read from `.env`.
    for name in _VARIABLES:
        monkeypatch.setenv(name, "")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables
