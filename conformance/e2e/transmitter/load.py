"""Many events: signed ahead by several processes, and pushed fast over connections that stay open.

A process of Python cannot send ten thousand requests a second one after the other. Here each
connection sends `pipeline` requests at once and then reads as many answers, and each process has
its share of the connections.
"""

import json
import secrets
import socket
import threading
import time
import urllib.parse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from joserfc import jws
from joserfc.jwk import ECKey, OKPKey

PREFIX = b"HTTP/1.1 "


def sign_share(order, first, count):
    """Events `first` to `first + count`, each with its `jti`. `{n}` in a subject is its number."""
    key_type = ECKey if order["algorithm"] == "ES256" else OKPKey
    key = key_type.import_key(order["key"])
    header = {"typ": "secevent+jwt", "alg": order["algorithm"], "kid": order["kid"]}
    subject = json.dumps(order["subject"])
    now, events = int(time.time()), []
    for number in range(first, first + count):
        jti = secrets.token_urlsafe(12)
        claims = {
            "iss": order["issuer"],
            "aud": order["audience"],
            "iat": now,
            "jti": jti,
            "sub_id": json.loads(subject.replace("{n}", str(number))),
            "events": {order["event"]: order["members"]},
        }
        payload = json.dumps(claims, separators=(",", ":"))
        event = jws.serialize_compact(header, payload, key, algorithms=[order["algorithm"]])
        events.append((jti, event))
    return events


def shares(count, parts):
    """The first and the number of each part."""
    bounds = [count * part // parts for part in range(parts + 1)]
    return [(low, high - low) for low, high in zip(bounds, bounds[1:]) if high > low]


def pool(processes):
    # Spawned, because the threads of the server do not survive a fork.
    return ProcessPoolExecutor(processes, mp_context=get_context("spawn"))


def signed(transmitter, command):
    order = {
        "algorithm": transmitter.algorithm,
        "key": transmitter.key.as_dict(private=True),
        "kid": transmitter.key.kid,
        "issuer": transmitter.issuer,
        "audience": transmitter.audience,
        "event": command["event"],
        "members": command.get("members", {}),
        "subject": command["subject"],
    }
    processes = command.get("processes", 2)
    began, events = time.monotonic(), []
    with pool(processes) as workers:
        parts = shares(command["count"], processes)
        for share in [workers.submit(sign_share, order, *part) for part in parts]:
            events.extend(share.result())
    return {"events": events, "seconds": time.monotonic() - began}


def requests(url, authorization, events):
    """The bytes of each request."""
    parts = urllib.parse.urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
    if authorization:
        head += f"Authorization: {authorization}\r\n"
    head += "Content-Type: application/secevent+jwt\r\nContent-Length: "
    return [f"{head}{len(event)}\r\n\r\n{event}".encode() for event in events]


class Connection(threading.Thread):
    """One connection, its requests, and what came back."""

    def __init__(self, address, batches, starts):
        super().__init__()
        self.address, self.batches, self.starts = address, batches, starts
        self.statuses, self.trips, self.problem = {}, [], None

    def run(self):
        try:
            with socket.create_connection(self.address, timeout=30) as stream:
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for start, batch in zip(self.starts, self.batches):
                    time.sleep(max(0.0, start - time.monotonic()))
                    self.send(stream, batch)
        except OSError as error:
            self.problem = str(error)

    def send(self, stream, batch):
        began, answers = time.monotonic(), b""
        stream.sendall(b"".join(batch))
        # Answers have no body but a refusal's, whose text never holds this prefix.
        while answers.count(PREFIX) < len(batch) or not answers.endswith((b"\r\n\r\n", b"}")):
            part = stream.recv(65536)
            if not part:
                raise OSError("the receiver closed the connection")
            answers += part
        self.trips.append(time.monotonic() - began)
        for answer in answers.split(PREFIX)[1:]:
            status = answer[:3].decode()
            self.statuses[status] = self.statuses.get(status, 0) + 1


def push_share(url, authorization, events, connections, pipeline, rate):
    """Pushes a share of the events, at a share of the rate."""
    parts = urllib.parse.urlsplit(url)
    sent = requests(url, authorization, events)
    batches = [sent[at : at + pipeline] for at in range(0, len(sent), pipeline)]
    # Begun together, a moment from now, so that every connection is open.
    begin = time.monotonic() + 0.2
    starts = [begin + (number * pipeline / rate if rate else 0.0) for number in range(len(batches))]
    threads = [
        Connection(
            (parts.hostname, parts.port),
            batches[number::connections],
            starts[number::connections],
        )
        for number in range(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        "seconds": time.monotonic() - begin,
        "statuses": [thread.statuses for thread in threads],
        "trips": [trip for thread in threads for trip in thread.trips],
        "problems": [thread.problem for thread in threads if thread.problem],
    }


def push(transmitter, command):
    events = signed(transmitter, command)
    texts = [event for _, event in events["events"]]
    processes, rate = command.get("processes", 2), command.get("rate", 0)
    parts = shares(len(texts), processes)
    connections = max(1, command.get("connections", 8) // len(parts))
    with pool(processes) as workers:
        running = [
            workers.submit(
                push_share,
                command["url"],
                command.get("authorization"),
                texts[first : first + count],
                connections,
                command.get("pipeline", 16),
                rate / len(parts),
            )
            for first, count in parts
        ]
        results = [share.result() for share in running]
    return {"signing": events["seconds"], **summary(results)}


def summary(results):
    statuses = {}
    for result in results:
        for of_connection in result["statuses"]:
            for status, count in of_connection.items():
                statuses[status] = statuses.get(status, 0) + count
    trips = sorted(trip for result in results for trip in result["trips"])
    # The slowest process counts: until then some events were on their way.
    seconds = max(result["seconds"] for result in results)
    return {
        "seconds": seconds,
        "statuses": statuses,
        "per_second": round(sum(statuses.values()) / seconds),
        "trip_p50_ms": round(1000 * trips[len(trips) // 2], 3) if trips else None,
        "trip_p99_ms": round(1000 * trips[len(trips) * 99 // 100], 3) if trips else None,
        "problems": [problem for result in results for problem in result["problems"]],
    }
