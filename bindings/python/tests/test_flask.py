"""An application of Flask, guarded."""

import logging
import threading
import time

import pytest
from flask import Blueprint, Flask, jsonify
from flask.testing import FlaskClient
from flask.views import MethodView
from werkzeug.exceptions import HTTPException

from conftest import AUDIENCE, Idp
from portcullis_auth import ConfigError, Server
from portcullis_auth.flask import Denial, Portcullis
from portcullis_auth.requirements import application, role


def application_for(auth: Portcullis) -> Flask:
    app = Flask(__name__)

    @app.get("/public")
    def public():
        return "anyone"

    @app.get("/sync")
    @auth.token_required
    def sync():
        return auth.token.name

    @app.get("/async")
    @auth.token_required
    async def asynchronous():
        return auth.token.name

    @app.get("/orders")
    @auth.require(scope="orders:read")
    def orders():
        return sorted(auth.token.scopes)

    @app.get("/reports/<name>")
    @auth.require(role="Admin")
    def reports(name: str):
        return name

    @app.post("/batch")
    @auth.require(application() | role("Clerk"), scope="batch")
    def batch():
        return auth.token.client

    @app.get("/greeting")
    @auth.optional
    def greeting():
        return f"Hello, {auth.token.name if auth.token else 'guest'}!"

    @app.get("/forgotten")
    def forgotten():
        return auth.token.name

    @app.get("/direct")
    def direct():
        return auth.server.decide_blocking({}).name

    inner = Blueprint("inner", __name__, url_prefix="/inner")
    inner.before_request(auth.check)

    @inner.get("/")
    def index():
        return auth.token.name

    admin = Blueprint("admin", __name__, url_prefix="/admin")
    admin.before_request(auth.require(role="Admin").check)

    @admin.get("/")
    def admin_index():
        return auth.token.name

    app.register_blueprint(inner)
    app.register_blueprint(admin)
    auth.init_app(app)
    return app


@pytest.fixture
def auth(server: Server) -> Portcullis:
    return Portcullis(server=server)


@pytest.fixture
def app(auth: Portcullis) -> Flask:
    return application_for(auth)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.mark.parametrize("path", ["/sync", "/async", "/inner/", "/admin/"])
def test_a_good_token_reaches_the_view(idp: Idp, client: FlaskClient, path: str) -> None:
    for _ in range(2):
        response = client.get(path, headers=idp.bearer())
        assert (response.status_code, response.text) == (200, "Alice Adams")


@pytest.mark.parametrize("path", ["/sync", "/async", "/inner/", "/admin/", "/orders"])
def test_a_missing_token_is_401_with_a_challenge(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="api"'
    assert response.headers["cache-control"] == "no-store"
    assert response.headers.getlist("content-type") == ["application/problem+json"]
    problem = response.json
    assert (problem["status"], problem["code"]) == (401, "credential.missing")
    assert problem["request_id"] == response.headers["x-request-id"]
    assert client.get("/public").text == "anyone"


@pytest.mark.parametrize("flaw", ["expired", "wrong-key", "unsigned", "hmac"])
def test_a_bad_token_is_401(idp: Idp, client: FlaskClient, flaw: str) -> None:
    for path in ("/sync", "/greeting", "/inner/"):
        response = client.get(path, headers=idp.bearer(flaw=flaw))
        assert response.status_code == 401
        assert 'error="invalid_token"' in response.headers["www-authenticate"]
        assert response.json["code"].startswith("token.")


def test_requirements_are_demanded(idp: Idp, client: FlaskClient) -> None:
    response = client.get("/orders", headers=idp.bearer(scope="orders:read"))
    assert response.json == ["orders:read"]
    response = client.get("/orders", headers=idp.bearer(scope="x"))
    assert (response.status_code, response.json["code"]) == (403, "policy.scope")
    challenge = response.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="orders:read"' in challenge
    assert client.get("/reports/x", headers=idp.bearer()).text == "x"
    for path in ("/reports/x", "/admin/"):
        assert client.get(path, headers=idp.bearer("bob")).json["code"] == "policy.role"
    clerk = idp.bearer("bob", roles="Clerk", scope="batch")
    assert client.post("/batch", headers=clerk).text == "web"
    assert client.post("/batch", headers=idp.bearer(scope="batch")).status_code == 403
    assert client.post("/batch", headers=idp.bearer("bob", roles="Clerk")).status_code == 403


def test_optional_is_for_guests_only(idp: Idp, client: FlaskClient) -> None:
    assert client.get("/greeting").text == "Hello, guest!"
    assert client.get("/greeting", headers=idp.bearer()).text == "Hello, Alice Adams!"
    for value in ("Bearer x", "Bearer", "Basic YTpi"):
        headers = {"authorization": value}
        assert client.get("/greeting", headers=headers).status_code in (400, 401)


def test_an_outage_is_503(idp: Idp, client: FlaskClient) -> None:
    idp.fault(metadata="500")
    headers = idp.bearer()
    for path in ("/sync", "/async", "/greeting", "/inner/"):
        response = client.get(path, headers=headers)
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) > 0
        assert "www-authenticate" not in response.headers
        assert response.json["code"] == "outage.metadata"


def test_two_credentials_are_refused(idp: Idp, client: FlaskClient) -> None:
    both = client.get("/sync", query_string={"access_token": idp.token()}, headers=idp.bearer())
    assert both.json["code"] == "credential.repeated"
    query = client.get("/sync", query_string={"access_token": idp.token()})
    assert query.status_code == 401


def test_a_view_without_a_guard_has_no_token(idp: Idp, app: Flask, client: FlaskClient) -> None:
    app.testing = True
    with pytest.raises(RuntimeError, match="no guard"):
        client.get("/forgotten", headers=idp.bearer())
    # A shared application context keeps `g`, but not the token.
    with app.app_context():
        assert client.get("/sync", headers=idp.bearer()).text == "Alice Adams"
        with pytest.raises(RuntimeError, match="no guard"):
            client.get("/forgotten")


def test_a_guard_above_the_route_is_refused(app: Flask, auth: Portcullis) -> None:
    with pytest.raises(TypeError, match="below"):

        @auth.token_required
        @app.get("/upside-down")
        def view():
            return "open"


def test_preflights_of_browsers_need_no_token(client: FlaskClient) -> None:
    for path in ("/inner/", "/sync"):
        response = client.options(path)
        assert response.status_code == 200
        assert response.text == ""
    assert client.options("/inner/none").status_code == 404


def test_an_application_may_be_guarded_as_a_whole(idp: Idp, server: Server, tmp_path) -> None:
    (tmp_path / "style.css").write_text("body {}")
    app = Flask(__name__, static_folder=tmp_path)
    app.before_request(Portcullis(app, server).check)
    client = app.test_client()
    path = f"/{tmp_path.name}/style.css"
    assert client.get("/none").status_code == client.get(path).status_code == 401
    response = client.get(path, headers=idp.bearer())
    assert (response.status_code, response.text) == (200, "body {}")
    response.close()
    assert client.get("/none", headers=idp.bearer()).status_code == 404


def test_a_view_for_options_is_guarded(idp: Idp, app: Flask, auth: Portcullis) -> None:
    own = Blueprint("own", __name__)
    own.before_request(auth.check)

    @own.route("/own", methods=["GET", "OPTIONS"])
    def view():
        return "private"

    app.register_blueprint(own)
    client = app.test_client()
    assert client.options("/own").status_code == 401
    assert client.options("/own", headers=idp.bearer()).text == "private"


def test_a_class_of_methods_is_guarded(idp: Idp, app: Flask, auth: Portcullis) -> None:
    class Orders(MethodView):
        decorators = (auth.require(role="Admin"),)

        def get(self):
            return auth.token.name

        async def post(self):
            return "posted"

    app.add_url_rule("/class", view_func=Orders.as_view("class"))
    client = app.test_client()
    for method in (client.get, client.post):
        assert method("/class").status_code == 401
        assert method("/class", headers=idp.bearer("bob")).status_code == 403
        assert method("/class", headers=idp.bearer()).status_code == 200


def test_a_denial_that_the_application_asks_for_is_answered_too(client: FlaskClient) -> None:
    response = client.get("/direct")
    assert (response.status_code, response.json["code"]) == (401, "credential.missing")
    assert response.headers["www-authenticate"] == 'Bearer realm="api"'


def test_an_application_may_answer_denials_itself(app: Flask, client: FlaskClient) -> None:
    @app.errorhandler(Denial)
    def respond(denial: Denial):
        assert isinstance(denial, HTTPException)
        body = {"detail": denial.description, "code": denial.denied.code}
        return body, denial.code, denial.denied.headers

    response = client.get("/sync")
    assert (response.status_code, response.mimetype) == (401, "application/json")
    assert response.json == {"detail": "a bearer token is required", "code": "credential.missing"}
    assert response.headers["www-authenticate"] == 'Bearer realm="api"'


def test_handlers_for_all_errors_keep_the_challenge(app: Flask, client: FlaskClient) -> None:
    @app.errorhandler(HTTPException)
    def respond(error: HTTPException):
        response = error.get_response()
        response.data = jsonify(name=error.name).data
        response.content_type = "application/json"
        return response

    response = client.get("/sync")
    assert (response.status_code, response.json) == (401, {"name": "Unauthorized"})
    assert response.headers["www-authenticate"] == 'Bearer realm="api"'


def test_a_factory_of_applications(idp: Idp, monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OAUTH2_ISSUER", raising=False)
    monkeypatch.setenv("OAUTH2_AUDIENCE", AUDIENCE)
    with pytest.raises(ConfigError, match="OAUTH2_ISSUER"):
        Portcullis(Flask(__name__))
    monkeypatch.setenv("OAUTH2_ISSUER", idp.issuer)
    auth = Portcullis()
    first = application_for(auth)
    file = tmp_path / "portcullis.toml"
    file.write_text(f'[[issuer]]\nurl = "{idp.issuer}"\naudience = "api://other"\n')
    second = Flask("second")
    second.config["PORTCULLIS_FILE"] = file
    auth.init_app(second)
    second.get("/sync")(auth.token_required(lambda: auth.token.name))
    assert first.test_client().get("/sync", headers=idp.bearer()).status_code == 200
    response = second.test_client().get("/sync", headers=idp.bearer())
    assert response.json["code"] == "token.audience"


def test_an_application_without_init_app_is_closed(idp: Idp, server: Server) -> None:
    auth = Portcullis(server=server)
    app = Flask(__name__)
    app.testing = True
    app.get("/")(auth.token_required(lambda: "open"))
    with pytest.raises(RuntimeError, match="init_app"):
        app.test_client().get("/", headers=idp.bearer())


def test_two_extensions_decide_apart(idp: Idp, server: Server) -> None:
    app = Flask(__name__)
    first = Portcullis(app, server)
    second = Portcullis(app, Server(idp.issuer, "api://other"))
    app.get("/first")(first.token_required(lambda: "1"))
    app.get("/second", endpoint="second")(second.token_required(lambda: "2"))
    client = app.test_client()
    assert client.get("/first", headers=idp.bearer()).status_code == 200
    assert client.get("/second", headers=idp.bearer()).status_code == 401


def test_a_requirement_demands_something(auth: Portcullis) -> None:
    with pytest.raises(ValueError, match="expected at least one"):
        auth.require()


def test_a_cookie_counts_where_the_settings_name_one(idp: Idp) -> None:
    text = f'token_cookie = "t"\n[[issuer]]\nurl = "{idp.issuer}"\naudience = "{AUDIENCE}"\n'
    app = application_for(Portcullis(server=Server.from_toml(text)))
    client = app.test_client()
    client.set_cookie("t", idp.token())
    assert client.get("/sync", headers={"sec-fetch-site": "same-origin"}).text == "Alice Adams"
    assert client.post("/batch", headers={"sec-fetch-site": "cross-site"}).status_code == 401


def test_other_threads_go_on_while_one_waits(idp: Idp, app: Flask) -> None:
    headers = idp.bearer()
    idp.fault(jwks="slow:500")
    statuses = []

    def ask() -> None:
        statuses.append(app.test_client().get("/sync", headers=headers).status_code)

    thread = threading.Thread(target=ask)
    thread.start()
    served = 0
    while thread.is_alive():
        assert app.test_client().get("/public").status_code == 200
        served += 1
        time.sleep(0.01)
    assert statuses == [200]
    assert served > 10


def test_no_response_echoes_a_token(idp: Idp, client: FlaskClient, caplog) -> None:
    marked = "MARK0815"
    caplog.set_level(logging.DEBUG)
    foreign = idp.token(claims=f'{{"aud": "{marked}"}}')
    for text in (marked, f"{marked}.{marked}.{marked}", foreign):
        response = client.get("/sync", headers={"authorization": f"Bearer {text}"})
        whole = response.text + str(response.headers)
        assert response.status_code == 401
        assert marked not in whole
        assert not any(part in whole for part in text.split("."))
