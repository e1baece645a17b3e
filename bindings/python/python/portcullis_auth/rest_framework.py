"""Authentication and permissions for Django REST framework, by access tokens.

>>> class Orders(APIView):
...     authentication_classes = [TokenAuthentication]
...     permission_classes = [Require(scope="orders:read")]

The settings are those of :mod:`portcullis_auth.django`. A denial is an ``APIException``; the body
of its response is ``{"detail": ..., "code": ...}``. A credential of another kind is refused as a
bad one, so an authentication class for it stands before :class:`TokenAuthentication`.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Unpack, cast

from django.core.exceptions import ImproperlyConfigured
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission, OperationHolderMixin
from rest_framework.request import Request

from portcullis_auth import requirements
from portcullis_auth._errors import Denied, Outage
from portcullis_auth._portcullis import Requirement, Token
from portcullis_auth.django import configured_server, header_fields, query_of

if TYPE_CHECKING:
    from rest_framework.response import Response
    from rest_framework.views import APIView

__all__ = [
    "Denial",
    "Require",
    "RequirePermission",
    "Token",
    "TokenAuthentication",
    "TokenUser",
    "exception_handler",
]


class Denial(APIException):
    """A request that may not go on. The challenge and ``Retry-After`` are in its response too.

    It is no ``AuthenticationFailed``: REST framework would answer that by 403 wherever the first
    authentication class has no challenge.
    """

    denied: Denied
    """The reason, with all header fields."""
    auth_header: str | None
    """``WWW-Authenticate``."""
    wait: int | None
    """``Retry-After``, in seconds."""

    def __init__(self, denied: Denied) -> None:
        super().__init__({"detail": denied.detail, "code": denied.code}, denied.code)
        self.denied = denied
        self.status_code = denied.status
        self.auth_header = denied.headers.get("www-authenticate")
        retry_after = denied.headers.get("retry-after")
        self.wait = int(retry_after) if retry_after else None


class TokenUser:
    """The caller as ``request.user``: a user without a row in the database, and without the
    permissions of Django."""

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    is_superuser = False

    def __init__(self, token: Token) -> None:
        self.token = token

    @property
    def pk(self) -> str:
        """A stable identifier, unique among all issuers: 64 hexadecimal digits. Throttles and
        caches take it for a key, which a subject with spaces could not be."""
        token = self.token
        facts = [("user", token.user_id), ("subject", token.subject), ("client", token.client)]
        # Of callers without any name, all are one.
        known = next(((kind, name) for kind, name in facts if name), ())
        return sha256("\0".join((token.issuer, *known)).encode()).hexdigest()

    id = pk
    username = pk

    @property
    def name(self) -> str:
        """A name to show. It is no identifier: people choose it."""
        return self.token.name

    @property
    def subject(self) -> str | None:
        """``sub``."""
        return self.token.subject

    @property
    def issuer(self) -> str:
        """The issuer. A subject means something only together with it."""
        return self.token.issuer

    @property
    def client(self) -> str | None:
        """The client that the token was issued to."""
        return self.token.client

    @property
    def scopes(self) -> frozenset[str]:
        """The granted scopes."""
        return self.token.scopes

    @property
    def roles(self) -> frozenset[str] | None:
        """The roles; ``None`` if they are unknown."""
        return self.token.roles

    @property
    def groups(self) -> frozenset[str] | None:
        """The groups; ``None`` if they are unknown."""
        return self.token.groups

    def get_username(self) -> str:
        """The identifier, as Django's users have it."""
        return self.pk

    def has_perm(self, _perm: str, _obj: object = None) -> bool:
        """False: the permissions of Django belong to rows of the database."""
        return False

    def has_perms(self, _perms: Iterable[str], _obj: object = None) -> bool:
        """False, as :meth:`has_perm`."""
        return False

    def has_module_perms(self, _label: str) -> bool:
        """False, as :meth:`has_perm`."""
        return False

    def __str__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TokenUser) and self.pk == other.pk

    def __hash__(self) -> int:
        return hash(self.pk)


class TokenAuthentication(BaseAuthentication):
    """Gives a :class:`TokenUser` and the token, or nothing to a request without any credential. A
    bad credential is refused on every view."""

    def authenticate(self, request: Request) -> tuple[TokenUser, Token] | None:
        """``request.user`` and ``request.auth``. Raises :class:`Denial`."""
        fields = header_fields(request._request)
        if not configured_server().sees_credential(fields, method=request.method):
            return None
        try:
            token = _decide(request, None)
        except Denied as denied:
            raise Denial(denied) from None
        return TokenUser(token), token

    def authenticate_header(self, request: Request) -> str:
        """The challenge for a request without a credential."""
        return f'Bearer realm="{configured_server().realm}"'


class RequirePermission(BasePermission):
    """A permission that demands something of the token. :class:`Require` makes it."""

    message: Any = None
    code: str | None = None

    def __init__(self, origin: "Require") -> None:
        self._origin = origin

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the caller meets the requirement. Raises :class:`Denial` if nothing can be
        decided, or if no other permission of the view could change the answer."""
        if not self._has_token(request) and request.successful_authenticator:
            # A session, for example: it has no token that could meet anything.
            return False
        try:
            self._check(request)
        except Outage as outage:
            # As a plain "no", its opposite would be a "yes".
            raise Denial(outage) from None
        except Denied as denied:
            # Instances of this class stand among them, as the stubs do not know.
            classes = cast(Iterable[object], view.permission_classes)
            if any(self._origin is permission for permission in classes):
                raise Denial(denied) from None
            self.message = {"detail": denied.detail, "code": denied.code}
            self.code = denied.code
            return False
        return self._has_token(request)

    def _check(self, request: Request) -> None:
        requirement = self._origin.requirement
        if isinstance(request.auth, Token):
            # Verified already: only the requirement is left.
            configured_server().permit_blocking(request.auth, requirement)
        else:
            _decide(request, requirement)

    def _has_token(self, request: Request) -> bool:
        # This authenticates, so a bad credential ends here.
        if isinstance(request.auth, Token):
            return True
        known = any(isinstance(it, TokenAuthentication) for it in request.authenticators or ())
        if not known and not request.successful_authenticator:
            message = "Require needs TokenAuthentication among the authentication classes"
            raise ImproperlyConfigured(message)
        return False


class Require(OperationHolderMixin):
    """A permission class that demands all of these of the token: it stands in
    ``permission_classes``, and combines with other classes by ``&`` and ``|``.

    The words are those of ``requirements.combine``. The opposite is a matter of words too:
    ``Require(~role("Guest"))``. Raises ``ValueError`` if nothing is demanded.
    """

    def __init__(
        self,
        *all_of: Requirement,
        **words: Unpack[requirements.Words],
    ) -> None:
        self.requirement = requirements.combine(*all_of, **words)

    def __call__(self) -> RequirePermission:
        """The permission for one request. REST framework calls it."""
        return RequirePermission(self)

    def __invert__(self) -> Any:  # noqa: ANN401
        """Refused: a caller without any token would meet it."""
        message = "expected a requirement that a token can meet; help: negate the words inside"
        raise TypeError(f"{message}, as in Require(~role('Guest'))")

    def __repr__(self) -> str:
        return f"<Require: {self.requirement}>"


def exception_handler(exc: Exception, context: dict[str, Any]) -> "Response | None":
    """REST framework's own handler, and all header fields of a denial: ``Cache-Control`` and
    ``X-Request-Id`` too. It is optional, for the setting ``EXCEPTION_HANDLER``."""
    # Views read the settings when they are imported, and the settings name this module.
    from rest_framework import views

    response = views.exception_handler(exc, context)
    if response is not None and isinstance(exc, Denial):
        for name, value in exc.denied.headers.items():
            response[name] = value
    return response


def _decide(request: Request, requirement: Requirement | None) -> Token:
    inner = request._request
    return configured_server().decide_blocking(
        header_fields(inner), query_of(inner), requirement, method=inner.method
    )
