"""Views of Django REST framework, guarded by access tokens."""

import test_django  # noqa: F401  (it configures Django)

# isort: split
import re
from collections.abc import Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.urls import path
from rest_framework.authentication import BaseAuthentication, BasicAuthentication
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.permissions import AllowAny, BasePermission, IsAdminUser, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.test import APIClient, APIRequestFactory
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from conftest import AUDIENCE, Idp
from portcullis_auth.django import configured_server
from portcullis_auth.requirements import acr, role
from portcullis_auth.rest_framework import Denial, Require, TokenAuthentication, TokenUser


class Person:
    """A user of another kind of authentication."""

    is_authenticated = True
    is_staff = False
    name = "Person"


class HeaderAuthentication(BaseAuthentication):
    """Another kind of authentication, without a challenge: as that of sessions."""

    def authenticate(self, request: Request):
        return (Person(), None) if "x-person" in request.headers else None


class Basic(BasicAuthentication):
    def authenticate_credentials(self, userid, password, request=None):
        if password != "right":
            raise AuthenticationFailed()
        return Person(), None


class Never(BasePermission):
    def has_permission(self, request, view) -> bool:
        return False


def view(*permissions: object, authentication: object = TokenAuthentication, **members: object):
    class Shown(APIView):
        def get(self, request: Request) -> Response:
            name = request.user.name if request.user else "guest"
            return Response({"name": name, "auth": type(request.auth).__name__})

    many = authentication if isinstance(authentication, list) else [authentication]
    Shown.authentication_classes = many
    Shown.permission_classes = list(permissions)
    for name, member in members.items():
        setattr(Shown, name, member)
    return Shown.as_view()


@api_view(["GET"])
@authentication_classes([TokenAuthentication])
@permission_classes([Require(scope="orders:read")])
def orders(request: Request) -> Response:
    return Response(sorted(request.auth.scopes))


class Defaults(APIView):
    """A view that sets nothing."""

    def get(self, request: Request) -> Response:
        return Response(request.user.name if request.user else "guest")


class PerAction(Defaults):
    authentication_classes = (TokenAuthentication,)

    def get_permissions(self):
        return [Require(role="Admin")()]


class Slow(UserRateThrottle):
    rate = "1/day"


urlpatterns = [
    path("open", view(AllowAny)),
    path("private", view(IsAuthenticated)),
    path("admin", view(Require(role="Admin"))),
    path("orders", orders),
    path("either", view(Require(role="Clerk") | Require(role="Admin"))),
    path("both", view(IsAuthenticated & Require(role="Clerk") & Require(scope="x"))),
    path("last", view(IsAdminUser | Require(role="Clerk"))),
    path("first", view((Require(role="Clerk") | IsAdminUser) | Require(role="Admin"))),
    path("never", view(Require(role="Admin"), Never)),
    path(
        "person",
        view(Require(role="Admin"), authentication=[HeaderAuthentication, TokenAuthentication]),
    ),
    path("basic", view(IsAuthenticated, authentication=[Basic, TokenAuthentication])),
    path("strong", view(Require(acr("mfa")))),
    path("innocent", view(Require(~role("Clerk")))),
    path("defaults", Defaults.as_view()),
    path("action", PerAction.as_view()),
    path("forgotten", view(Require(role="Admin"), authentication=[])),
    path("wrong", view(Require(role="Admin"), authentication=HeaderAuthentication)),
    path("slow", view(IsAuthenticated, throttle_classes=[Slow])),
]


@pytest.fixture
def client(idp: Idp, tmp_path) -> Iterator[APIClient]:
    file = tmp_path / "portcullis.toml"
    file.write_text(f'[[issuer]]\nurl = "{idp.issuer}"\naudience = "{AUDIENCE}"\n')
    with override_settings(PORTCULLIS_FILE=file, ROOT_URLCONF=__name__, MIDDLEWARE=[]):
        yield APIClient()


def test_a_token_is_user_and_auth(idp: Idp, client: APIClient) -> None:
    for path_ in ("/private", "/open", "/admin"):
        response = client.get(path_, headers=idp.bearer())
        assert (response.status_code, response.json()) == (
            200,
            {"name": "Alice Adams", "auth": "Token"},
        )


def test_guests_are_let_in_where_anybody_is(client: APIClient) -> None:
    assert client.get("/open").json() == {"name": "guest", "auth": "NoneType"}


@pytest.mark.parametrize("flaw", ["expired", "wrong-key", "unsigned", "hmac"])
@pytest.mark.parametrize("path_", ["/open", "/private", "/admin", "/person", "/either"])
def test_a_bad_token_is_401_everywhere(idp: Idp, client: APIClient, flaw: str, path_: str) -> None:
    response = client.get(path_, headers=idp.bearer(flaw=flaw))
    assert response.status_code == 401
    assert 'error="invalid_token"' in response["WWW-Authenticate"]
    assert response.json()["code"].startswith("token.")
    assert response.json().keys() == {"detail", "code"}


@pytest.mark.parametrize("path_", ["/private", "/admin", "/orders", "/either", "/both"])
def test_a_missing_token_is_401_with_a_challenge(client: APIClient, path_: str) -> None:
    response = client.get(path_)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert response.json()["detail"]


def test_a_permission_says_which_code(client: APIClient) -> None:
    assert client.get("/admin").json() == {
        "detail": "a bearer token is required",
        "code": "credential.missing",
    }
    # Its first authentication class has no challenge; REST framework would answer by 403.
    response = client.get("/person")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


def test_scopes_are_demanded(idp: Idp, client: APIClient) -> None:
    response = client.get("/orders", headers=idp.bearer(scope="orders:read"))
    assert (response.status_code, response.json()) == (200, ["orders:read"])
    response = client.get("/orders", headers=idp.bearer(scope="orders"))
    assert (response.status_code, response.json()["code"]) == (403, "policy.scope")
    challenge = response["WWW-Authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="orders:read"' in challenge


def test_permissions_combine(idp: Idp, client: APIClient) -> None:
    def status(path_: str, **form: str) -> int:
        return client.get(path_, headers=idp.bearer(**form)).status_code

    for path_ in ("/either", "/first"):
        assert status(path_, roles="Admin") == 200
        assert status(path_, roles="Clerk") == 200
        assert status(path_, user="bob") == 403
    assert status("/both", roles="Clerk", scope="x") == 200
    assert status("/both", roles="Clerk", scope="y") == 403
    assert status("/both", roles="Admin", scope="x") == 403
    assert status("/last", roles="Clerk") == 200
    assert status("/last", roles="Admin") == 403
    assert status("/never", roles="Admin") == 403
    assert status("/innocent", roles="Admin") == 200
    assert status("/innocent", roles="Clerk") == 403


def test_a_new_sign_in_is_asked_for(idp: Idp, client: APIClient) -> None:
    response = client.get("/strong", headers=idp.bearer())
    assert (response.status_code, response.json()["code"]) == (401, "policy.step_up")
    assert 'acr_values="mfa"' in response["WWW-Authenticate"]


def test_the_permissions_of_an_action_refuse_with_their_code(idp: Idp, client: APIClient) -> None:
    assert client.get("/action", headers=idp.bearer()).status_code == 200
    response = client.get("/action", headers=idp.bearer("bob"))
    assert (response.status_code, response.json()["code"]) == (403, "policy.role")
    assert client.get("/action").status_code == 401


def test_other_kinds_of_callers_have_no_token(idp: Idp, client: APIClient) -> None:
    # The session comes first, so the token is not looked at.
    for headers in ({"x-person": "1"}, {"x-person": "1", **idp.bearer()}):
        assert client.get("/person", headers=headers).status_code == 403
    assert client.get("/person", headers=idp.bearer()).status_code == 200


def test_another_scheme_is_for_the_class_before(idp: Idp, client: APIClient) -> None:
    good, bad = ({"authorization": f"Basic {value}"} for value in ("YTpyaWdodA==", "YTpi"))
    assert client.get("/basic", headers=good).json()["name"] == "Person"
    assert client.get("/basic", headers=bad).status_code == 401
    assert client.get("/basic", headers=idp.bearer()).json()["name"] == "Alice Adams"
    # Nobody else knows it here.
    assert client.get("/open", headers=good).status_code in (400, 401)


def test_an_outage_is_503_never_a_no(idp: Idp, client: APIClient) -> None:
    assert client.get("/admin", headers=idp.bearer()).status_code == 200
    idp.rotate()
    idp.fault(jwks="500")
    headers = idp.bearer()
    for path_ in ("/open", "/private", "/admin", "/either", "/last", "/innocent"):
        response = client.get(path_, headers=headers)
        assert response.status_code == 503
        assert int(response["Retry-After"]) > 0
        assert "WWW-Authenticate" not in response
        assert response.json()["code"] == "outage.keys"


class Forgetful(TokenAuthentication):
    """After it has authenticated, nobody knows any keys."""

    idp: Idp

    def authenticate(self, request: Request):
        known = super().authenticate(request)
        self.idp.fault(jwks="500")
        configured_server.cache_clear()
        return known


class Blind(TokenAuthentication):
    """It sees no token."""

    def authenticate(self, request: Request) -> None:
        return None


def test_an_outage_of_a_permission_is_no_answer(idp: Idp, client: APIClient) -> None:
    clerk = Require(role="Clerk")
    for permission in (clerk, ~(clerk & AllowAny), clerk | AllowAny):
        # A server that has never had keys; nobody but the permission asks it.
        configured_server.cache_clear()
        idp.fault(metadata="500")
        shown = view(permission, authentication=Blind)
        response = shown(APIRequestFactory().get("/", headers=idp.bearer()))
        assert response.status_code == 503
        assert int(response["Retry-After"]) > 0


def test_a_permission_goes_by_the_token_that_was_authenticated(
    idp: Idp, client: APIClient, monkeypatch
) -> None:
    """Its keys may be gone meanwhile: they were there when it was verified."""
    monkeypatch.setattr(Forgetful, "idp", idp, raising=False)
    for permission, expected in ((Require(role="Clerk"), 403), (Require(role="Admin"), 200)):
        idp.clear_faults()
        configured_server.cache_clear()
        shown = view(permission, authentication=Forgetful)
        response = shown(APIRequestFactory().get("/", headers=idp.bearer("alice")))
        assert response.status_code == expected


def test_a_token_that_was_not_authenticated_meets_nothing(idp: Idp, client: APIClient) -> None:
    shown = view(Require(role="Admin"), authentication=Blind)
    assert shown(APIRequestFactory().get("/", headers=idp.bearer())).status_code == 401


def test_a_view_that_sets_nothing_has_the_defaults(
    idp: Idp, client: APIClient, monkeypatch
) -> None:
    monkeypatch.setattr(Defaults, "authentication_classes", [])
    assert client.get("/defaults", headers=idp.bearer()).json() == "guest"
    rest = {
        "DEFAULT_AUTHENTICATION_CLASSES": ["portcullis_auth.rest_framework.TokenAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "UNAUTHENTICATED_USER": None,
    }
    with override_settings(REST_FRAMEWORK=rest):
        authentication = api_settings.DEFAULT_AUTHENTICATION_CLASSES
        assert authentication == [TokenAuthentication]
        monkeypatch.setattr(Defaults, "authentication_classes", authentication)
        monkeypatch.setattr(Defaults, "permission_classes", api_settings.DEFAULT_PERMISSION_CLASSES)
        assert client.get("/defaults", headers=idp.bearer()).json() == "Alice Adams"
        assert client.get("/defaults").status_code == 401


def test_a_permission_needs_the_authentication(idp: Idp, client: APIClient) -> None:
    for path_ in ("/forgotten", "/wrong"):
        with pytest.raises(ImproperlyConfigured, match="TokenAuthentication"):
            client.get(path_, headers=idp.bearer())
    assert client.get("/wrong", headers={"x-person": "1"}).status_code == 403


def test_a_requirement_demands_something() -> None:
    with pytest.raises(ValueError, match="expected at least one"):
        Require()
    with pytest.raises(TypeError, match="Require"):
        ~Require(role="Guest")
    assert repr(Require(role="Guest")) == "<Require: (role `Guest`)>"


def test_a_user_has_the_facts_of_the_token(idp: Idp, client: APIClient) -> None:
    seen: list[TokenUser] = []

    def get(self, request: Request) -> Response:
        seen.append(request.user)
        return Response()

    shown = view(IsAuthenticated, get=get)
    for form in ({"user": "alice", "scope": "a b"}, {"user": "alice"}, {"user": "bob"}):
        request = APIRequestFactory().get("/", headers=idp.bearer(**form))
        assert shown(request).status_code == 200
    alice, again, bob = seen
    assert (alice.name, str(alice), alice.client) == ("Alice Adams", "Alice Adams", "web")
    assert (alice.issuer, alice.scopes) == (idp.issuer, frozenset({"a", "b"}))
    assert (alice.roles, alice.groups) == (frozenset({"Admin"}), frozenset())
    assert alice.subject
    assert alice == again
    assert len({alice, again, bob}) == 2
    assert alice.pk == alice.id == alice.username == alice.get_username() == again.pk
    assert re.fullmatch("[0-9a-f]{64}", alice.pk)
    assert alice.is_authenticated
    assert not alice.is_anonymous
    powers = [alice.is_staff, alice.is_superuser, alice.has_perm("x"), alice.has_perms([])]
    assert not any(powers)
    assert not alice.has_module_perms("x")


def test_a_throttle_counts_each_caller(idp: Idp, client: APIClient) -> None:
    alice, bob = idp.bearer(), idp.bearer("bob")
    assert client.get("/slow", headers=alice).status_code == 200
    assert client.get("/slow", headers=idp.bearer()).status_code == 429
    assert client.get("/slow", headers=bob).status_code == 200


def test_the_exception_handler_adds_all_header_fields(idp: Idp, client: APIClient) -> None:
    rest = {
        "EXCEPTION_HANDLER": "portcullis_auth.rest_framework.exception_handler",
        "UNAUTHENTICATED_USER": None,
    }
    assert "X-Request-Id" not in client.get("/admin")
    with override_settings(REST_FRAMEWORK=rest):
        response = client.get("/admin")
        assert response["X-Request-Id"]
        assert response["Cache-Control"] == "no-store"
        assert response["WWW-Authenticate"] == 'Bearer realm="api"'
        response = client.get("/never", headers=idp.bearer())
        assert (response.status_code, "X-Request-Id" in response) == (403, False)


def test_no_response_echoes_a_token(idp: Idp, client: APIClient) -> None:
    marked = "MARK0815"
    foreign = idp.token(claims=f'{{"aud": "{marked}"}}')
    for text in (marked, f"{marked}.{marked}.{marked}", foreign):
        response = client.get("/open", headers={"authorization": f"Bearer {text}"})
        whole = response.content.decode() + str(response.headers)
        assert response.status_code == 401
        assert marked not in whole
        assert not any(part in whole for part in text.split("."))


def test_a_denial_is_an_api_exception() -> None:
    assert issubclass(Denial, APIException)
    assert not issubclass(Denial, AuthenticationFailed)
