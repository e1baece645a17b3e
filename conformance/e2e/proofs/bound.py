"""Two makers of proofs in Python, and calls to protected APIs with them: as they are, and as
somebody between them and the API would have it.

The first argument is JSON: the issuer, the API's name there, and the addresses. Each line of the
output is an answer, as JSON. Requests are those of the standard library, so that nothing but the
proofs is foreign here.
"""

import base64
import hashlib
import json
import secrets
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pydpop
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

SETTINGS = json.loads(sys.argv[1])
SERVICE = base64.b64encode(b"service:service-secret").decode()


class Pydpop:
    def __init__(self):
        self.key = pydpop.generate_key()

    def proof(self, method, url, nonce, token):
        return pydpop.generate_proof(
            private_key=self.key, htm=method, htu=url, nonce=nonce, access_token=token
        )


class Joserfc:
    """The proof is put together here, and signed there."""

    def __init__(self, algorithm="ES256"):
        self.algorithm = algorithm
        self.key = (
            ECKey.generate_key("P-256") if algorithm == "ES256" else OKPKey.generate_key("Ed25519")
        )

    def proof(self, method, url, nonce, token):
        jwk = {name: value for name, value in self.key.dict_value.items() if name in "kty crv x y"}
        header = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": jwk}
        claims = {"htm": method, "htu": url.split("?")[0], "iat": int(time.time())}
        claims["jti"] = secrets.token_urlsafe()
        if nonce:
            claims["nonce"] = nonce
        if token:
            digest = hashlib.sha256(token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}))


def send(method, url, headers, body=None):
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with OPENER.open(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read()


class Client:
    def __init__(self, maker):
        self.maker, self.nonces = maker, {}
        metadata = send("GET", SETTINGS["issuer"] + "/.well-known/openid-configuration", {})[2]
        form = {
            "grant_type": "client_credentials",
            "scope": "orders:read",
            "resource": SETTINGS["resource"],
        }
        answers = self.ask(
            "POST",
            json.loads(metadata)["token_endpoint"],
            {"Authorization": f"Basic {SERVICE}"},
            body=urllib.parse.urlencode(form).encode(),
        )
        self.token = json.loads(answers[-1][2])["access_token"]

    def call(self, url, token, change):
        return self.ask("GET", url, {"Authorization": f"DPoP {token}"}, token, change)

    def ask(self, method, url, headers, token=None, change=lambda *request: [request], body=None):
        """All answers: of two requests where a nonce is wanted first."""
        origin, answers = "/".join(url.split("/")[:3]), []
        while True:
            proof = self.maker.proof(method, url, self.nonces.get(origin), token)
            for changed in change(method, url, {**headers, "DPoP": proof}):
                answers.append(send(*changed, body))
            status, fields, content = answers[-1]
            if fields["DPoP-Nonce"]:
                self.nonces[origin] = fields["DPoP-Nonce"]
            wanted = (fields["WWW-Authenticate"] or "") + content.decode()
            if status < 400 or "use_dpop_nonce" not in wanted or len(answers) > 1:
                return answers


def with_header(headers, name, value):
    return {**{held: old for held, old in headers.items() if held != name}, **({name: value} if value else {})}


ATTEMPTS = {
    "good": lambda *request: [request],
    "replayed": lambda *request: [request, request],
    "another method": lambda _, url, headers: [("DELETE", url, headers)],
    "another URL": lambda method, url, headers: [(method, url.replace("/42", "/43"), headers)],
    "another host": lambda method, url, headers: [
        (method, url, with_header(headers, "X-Forwarded-Host", "api.example"))
    ],
    "as Bearer": lambda method, url, headers: [
        (method, url, with_header(headers, "Authorization", headers["Authorization"].replace("DPoP", "Bearer")))
    ],
    "without proof": lambda method, url, headers: [(method, url, with_header(headers, "DPoP", None))],
}


def attempt(name, door, what, client, token, change):
    answers = client.call(door["url"], token, change)
    status, _, content = answers[-1]
    code = "" if status < 400 else json.loads(content)["code"]
    row = {"client": name, "door": door["name"], "attempt": what, "status": status, "code": code}
    print(json.dumps({**row, "requests": len(answers)}))


def main():
    for name, maker in {"pydpop": Pydpop, "joserfc": Joserfc}.items():
        client, thief = Client(maker()), Client(maker())
        for door in SETTINGS["doors"]:
            for what, change in ATTEMPTS.items():
                attempt(name, door, what, client, client.token, change)
            attempt(name, door, "another key", thief, client.token, ATTEMPTS["good"])
    # RFC 9864 names the algorithm by its curve.
    for algorithm in ["EdDSA", "Ed25519"]:
        other, door = Client(Joserfc(algorithm)), SETTINGS["doors"][0]
        attempt("joserfc", door, f"good with {algorithm}", other, other.token, ATTEMPTS["good"])


main()
