"""A transmitter of security events that shares no code with ours: SSF 1.0, RFC 8417, 8935, 8936.

The first argument is JSON: `audience`, and optionally `algorithm` (ES256, EdDSA or Ed25519) and `secret`,
which polls and management requests carry as a bearer token. It prints a line with its issuer when
it listens. Then each line of the input is a command in JSON, and each line of the output its
answer. `COMMANDS` below lists them.

An event is described by `event` (the address of its type), `members`, `subject` (as in `sub_id`),
and what is unusual about it: `claims` and `header` are written over what would be there, null
leaves a member out, and `key` is `other` for one that is not published.
"""

import json
import queue
import secrets
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from joserfc import jws
from joserfc.jwk import ECKey, OKPKey

import load

PUSH, POLL = "urn:ietf:rfc:8935", "urn:ietf:rfc:8936"
VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"

# How long a poll waits, in seconds.
PATIENCE = 20


def make_key(algorithm, kid):
    parameters = {"kid": kid, "use": "sig", "alg": algorithm}
    if algorithm == "ES256":
        return ECKey.generate_key("P-256", parameters)
    return OKPKey.generate_key("Ed25519", parameters)


def edit(members, changes):
    for name, value in (changes or {}).items():
        if value is None:
            members.pop(name, None)
        else:
            members[name] = value
    return members


class Outbox:
    """What waits to be fetched, and what the receiver said about it."""

    def __init__(self):
        self.changed = threading.Condition()
        self.waiting = OrderedDict()
        self.acknowledged, self.errors, self.polls = set(), {}, 0

    def add(self, events):
        with self.changed:
            self.waiting.update(events)
            self.changed.notify_all()

    def poll(self, request):
        most = request.get("maxEvents", 100)
        with self.changed:
            self.polls += 1
            self.acknowledged.update(request.get("ack", []))
            self.errors.update(request.get("setErrs", {}))
            for jti in [*request.get("ack", []), *request.get("setErrs", {})]:
                self.waiting.pop(jti, None)
            self.changed.notify_all()
            if most > 0 and not request.get("returnImmediately", False):
                self.changed.wait_for(lambda: self.waiting, PATIENCE)
            batch = dict(item for item, _ in zip(self.waiting.items(), range(most)))
            return {"sets": batch, "moreAvailable": len(self.waiting) > len(batch)}

    def settled(self, jtis, patience):
        """Waits until all of them were acknowledged or refused."""
        wanted = set(jtis)
        with self.changed:
            self.changed.wait_for(
                lambda: not wanted - self.acknowledged - self.errors.keys(), patience
            )
            return {
                "acknowledged": len(wanted & self.acknowledged),
                "errors": {jti: self.errors[jti] for jti in wanted & self.errors.keys()},
                "waiting": len(wanted - self.acknowledged - self.errors.keys()),
                "polls": self.polls,
            }


class Transmitter:
    def __init__(self, settings):
        self.audience = settings["audience"]
        self.algorithm = settings.get("algorithm", "ES256")
        self.secret = settings.get("secret")
        self.key, self.other = make_key(self.algorithm, "t-1"), make_key(self.algorithm, "t-1")
        self.outbox, self.issuer = Outbox(), None
        self.stream = {"stream_id": "s-1", "status": "enabled"}
        self.verified = queue.Queue()

    def event(self, wanted):
        """A signed event, and its `jti`."""
        jti = wanted.get("jti") or secrets.token_urlsafe(16)
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "iat": int(time.time()),
            "jti": jti,
            "sub_id": wanted["subject"],
            "events": {wanted["event"]: wanted.get("members", {})},
        }
        header = {"typ": "secevent+jwt", "alg": self.algorithm, "kid": "t-1"}
        key = self.other if wanted.get("key") == "other" else self.key
        claims = edit(claims, wanted.get("claims"))
        header = edit(header, wanted.get("header"))
        payload = json.dumps(claims, separators=(",", ":"))
        return jti, jws.serialize_compact(header, payload, key, algorithms=[self.algorithm])

    def configuration(self):
        return {
            "spec_version": "1_0",
            "issuer": self.issuer,
            "jwks_uri": self.issuer + "/keys",
            "delivery_methods_supported": [PUSH, POLL],
            "configuration_endpoint": self.issuer + "/streams",
            "status_endpoint": self.issuer + "/status",
            "verification_endpoint": self.issuer + "/verification",
            "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6750"}],
            "default_subjects": "ALL",
        }

    def described(self):
        delivery = self.stream.get("delivery", {"method": POLL})
        if delivery["method"] == POLL:
            delivery = {"method": POLL, "endpoint_url": self.issuer + "/poll"}
        shown = {name: delivery[name] for name in ("method", "endpoint_url")}
        return {
            "stream_id": "s-1",
            "iss": self.issuer,
            "aud": self.audience,
            "events_delivered": self.stream.get("events_requested", []),
            "delivery": shown,
        }

    def verify(self, state):
        if self.stream["status"] != "enabled":
            return
        members = {} if state is None else {"state": state}
        subject = {"format": "opaque", "id": "s-1"}
        jti, event = self.event({"event": VERIFICATION, "subject": subject, "members": members})
        delivery = self.stream.get("delivery", {"method": POLL})
        if delivery["method"] == POLL:
            self.outbox.add({jti: event})
        else:
            # In the background: the event may arrive after the answer (SSF 1.0, section 8.1.4.2).
            threading.Thread(target=self.push_verification, args=(delivery, event)).start()

    def push_verification(self, delivery, event):
        header = delivery.get("authorization_header")
        self.verified.put(push(delivery["endpoint_url"], header, event))


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}))


def push(url, authorization, event):
    """RFC 8935, section 2."""
    headers = {"Content-Type": "application/secevent+jwt", "Accept": "application/json"}
    if authorization:
        headers["Authorization"] = authorization
    request = urllib.request.Request(url, event.encode(), headers, method="POST")
    try:
        with OPENER.open(request, timeout=30) as answer:
            return {"status": answer.status, "body": answer.read().decode()}
    except urllib.error.HTTPError as answer:
        return {"status": answer.code, "body": answer.read().decode()}


def handler(transmitter):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def answer(self, status, body=None):
            text = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if status != 204:
                self.wfile.write(text)

        def is_allowed(self):
            wanted = transmitter.secret and f"Bearer {transmitter.secret}"
            return not wanted or self.headers.get("Authorization") == wanted

        def do_GET(self):
            path = urllib.parse.urlsplit(self.path).path
            if path == "/.well-known/ssf-configuration":
                return self.answer(200, transmitter.configuration())
            if path == "/keys":
                return self.answer(200, {"keys": [transmitter.key.as_dict(private=False)]})
            if not self.is_allowed():
                return self.answer(401, {"err": "authentication_failed"})
            if path == "/streams":
                return self.answer(200, transmitter.described())
            if path == "/status":
                status = {name: transmitter.stream[name] for name in ("stream_id", "status")}
                return self.answer(200, status)
            return self.answer(404)

        def do_POST(self):
            length = int(self.headers.get("Content-Length") or 0)
            request = json.loads(self.rfile.read(length) or b"{}")
            if not self.is_allowed():
                return self.answer(401, {"err": "authentication_failed"})
            if self.path == "/poll":
                return self.answer(200, transmitter.outbox.poll(request))
            if self.path == "/streams":
                transmitter.stream.update(request)
                return self.answer(201, transmitter.described())
            if self.path == "/status":
                transmitter.stream["status"] = request["status"]
                return self.answer(200, request)
            if self.path == "/verification":
                transmitter.verify(request.get("state"))
                return self.answer(204)
            return self.answer(404)

        def do_DELETE(self):
            self.answer(204 if self.is_allowed() else 401)

    return Handler


def sign(transmitter, command):
    """The event, sent nowhere."""
    jti, event = transmitter.event(command)
    return {"jti": jti, "set": event}


def push_one(transmitter, command):
    """Pushes to `url`, with `authorization`."""
    jti, event = transmitter.event(command)
    return {"jti": jti, **push(command["url"], command.get("authorization"), event)}


def enqueue(transmitter, command):
    """Puts the event where polls find it."""
    jti, event = transmitter.event(command)
    transmitter.outbox.add({jti: event})
    return {"jti": jti}


def verify(transmitter, _):
    """Verifies the stream by itself, without a `state`."""
    transmitter.verify(None)
    return {}


def verified(transmitter, _):
    """What the receiver answered to the next verification event that was pushed."""
    return transmitter.verified.get(timeout=30)


def wait(transmitter, command):
    """Waits until the events `jtis` were acknowledged or refused, `patience` seconds at most."""
    return transmitter.outbox.settled(command["jtis"], command.get("patience", 30))


def rotate(transmitter, _):
    """Signs with another key from now on."""
    transmitter.key = make_key(transmitter.algorithm, "t-2")
    return {}


def load_push(transmitter, command):
    """Signs `count` events ahead, and pushes them over `connections` at `rate` a second."""
    return load.push(transmitter, command)


def load_poll(transmitter, command):
    """Signs `count` events ahead, and waits until polls have taken all of them."""
    signed = load.signed(transmitter, command)
    began = time.monotonic()
    transmitter.outbox.add(dict(signed["events"]))
    jtis = [jti for jti, _ in signed["events"]]
    told = transmitter.outbox.settled(jtis, command.get("patience", 120))
    seconds = time.monotonic() - began
    return {"signing": signed["seconds"], "seconds": seconds, **told}


COMMANDS = {
    "sign": sign,
    "push": push_one,
    "queue": enqueue,
    "verify": verify,
    "verified": verified,
    "wait": wait,
    "rotate": rotate,
    "load_push": load_push,
    "load_poll": load_poll,
}


def main():
    transmitter = Transmitter(json.loads(sys.argv[1]))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(transmitter))
    server.daemon_threads = True
    transmitter.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"issuer": transmitter.issuer}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = COMMANDS[command["do"]](transmitter, command)
        except Exception as error:
            # The test that asked has to see it, and the transmitter goes on.
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
