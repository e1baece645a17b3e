"""Guarded servers of gRPC, sync and async, over generic handlers."""

import asyncio
import json
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from prometheus_client import REGISTRY, generate_latest

from conftest import AUDIENCE, Idp, claims_of
from portcullis_auth import Outage, Server, Token
from portcullis_auth.grpc import (
    BlockingTokenInterceptor,
    TokenInterceptor,
    current_token,
    optional_token,
)
from portcullis_auth.requirements import role, scope

SHAPES = ["unary_unary", "unary_stream", "stream_unary", "stream_stream"]
every_shape = pytest.mark.parametrize("shape", SHAPES)
REQUIREMENTS = {
    "/orders.Orders/admin": role("Admin"),
    "/orders.Orders/scoped": scope("orders:read"),
}


def caller(request: bytes) -> bytes:
    token = optional_token()
    return request + b" of " + (token.name if token else "a guest").encode()


class AsyncService:
    """Coroutines that say who calls."""

    async def unary_unary(self, request: bytes, context: Any) -> bytes:
        await asyncio.sleep(0)
        return caller(request)

    async def unary_stream(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        for _ in range(3):
            yield caller(request)

    async def stream_unary(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        return b"".join([caller(request) async for request in requests])

    async def stream_stream(
        self, requests: AsyncIterator[bytes], context: Any
    ) -> AsyncIterator[bytes]:
        async for request in requests:
            yield caller(request)


class BlockingService:
    """The same as functions and generators."""

    def unary_unary(self, request: bytes, context: Any) -> bytes:
        return caller(request)

    def unary_stream(self, request: bytes, context: Any) -> Iterator[bytes]:
        for _ in range(3):
            yield caller(request)

    def stream_unary(self, requests: Iterator[bytes], context: Any) -> bytes:
        return b"".join(caller(request) for request in requests)

    def stream_stream(self, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        for request in requests:
            yield caller(request)


def handlers(service: Any, **more: Any) -> Any:
    methods = {
        shape: getattr(grpc, f"{shape}_rpc_method_handler")(getattr(service, shape))
        for shape in SHAPES
    }
    for name in ("admin", "scoped", "public", "unary"):
        methods[name] = methods["unary_unary"]
    return grpc.method_handlers_generic_handler("orders.Orders", {**methods, **more})


def interceptor(kind: Any, server: Server) -> Any:
    return kind(server, REQUIREMENTS, public=["/orders.Orders/public"])


@contextmanager
def blocking_server(server: Server, **more: Any) -> Iterator[int]:
    interceptors = [interceptor(BlockingTokenInterceptor, server)]
    running = grpc.server(ThreadPoolExecutor(4), interceptors=interceptors)
    running.add_generic_rpc_handlers([handlers(BlockingService(), **more)])
    port = running.add_insecure_port("127.0.0.1:0")
    running.start()
    try:
        yield port
    finally:
        running.stop(None).wait()


@asynccontextmanager
async def async_server(server: Server, service: Any, **more: Any) -> AsyncIterator[int]:
    interceptors = [interceptor(TokenInterceptor, server)]
    running = grpc.aio.server(interceptors=interceptors)
    running.add_generic_rpc_handlers([handlers(service, **more)])
    port = running.add_insecure_port("127.0.0.1:0")
    await running.start()
    try:
        yield port
    finally:
        await running.stop(None)


def call(port: int, method: str, headers: dict[str, str], shape: str | None = None) -> list[bytes]:
    """The messages of the response."""
    shape = shape or method
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = getattr(channel, shape)(f"/orders.Orders/{method}")
        request = iter([b"one", b"two"]) if shape.startswith("stream") else b"one"
        response = stub(request, metadata=tuple(headers.items()), timeout=20)
        return list(response) if shape.endswith("stream") else [response]


KINDS = ["blocking", "async", "migrated"]
every_kind = pytest.mark.parametrize("kind", KINDS)
Work = Callable[[int], Any]


def serve(kind: str, server: Server, work: Work, **more: Any) -> Any:
    """Does the work beside a server of this kind: one of `grpc`, one of `grpc.aio`, or one of
    `grpc.aio` with functions."""
    if kind == "blocking":
        with blocking_server(server, **more) as port:
            return work(port)

    async def scenario() -> Any:
        service = AsyncService() if kind == "async" else BlockingService()
        async with async_server(server, service, **more) as port:
            return await asyncio.to_thread(work, port)

    return asyncio.run(scenario())


def refusal(work: Callable[[], Any]) -> tuple[grpc.StatusCode, str, dict[str, str]]:
    with pytest.raises(grpc.RpcError) as caught:
        work()
    error: Any = caught.value
    return error.code(), error.details(), dict(error.trailing_metadata())


@every_kind
@every_shape
def test_a_good_token_reaches_the_handler(idp: Idp, server: Server, kind: str, shape: str) -> None:
    alice, bob = idp.bearer("alice"), idp.bearer("bob")
    expected = {
        "unary_unary": [b"one of %s"],
        "unary_stream": [b"one of %s"] * 3,
        "stream_unary": [b"one of %stwo of %s"],
        "stream_stream": [b"one of %s", b"two of %s"],
    }[shape]

    def work(port: int) -> None:
        # Twice, and in turn: the threads of a pool must not keep a token.
        for headers, name in [(alice, b"Alice Adams"), (bob, b"Bob Brown")] * 2:
            wanted = [text.replace(b"%s", name) for text in expected]
            assert call(port, shape, headers) == wanted
        assert call(port, "public", {}, "unary_unary") == [b"one of a guest"]
        assert call(port, "public", alice, "unary_unary") == [b"one of a guest"]

    serve(kind, server, work)


@every_kind
@every_shape
def test_a_bad_token_is_unauthenticated(idp: Idp, server: Server, kind: str, shape: str) -> None:
    def work(port: int) -> None:
        code, details, trailing = refusal(lambda: call(port, shape, {}))
        assert (code, details) == (grpc.StatusCode.UNAUTHENTICATED, "a bearer token is required")
        assert trailing["portcullis-code"] == "credential.missing"
        assert trailing["www-authenticate"] == 'Bearer realm="api"'
        assert trailing["x-request-id"]
        for flaw in ("expired", "wrong-key", "unsigned"):
            headers = idp.bearer(flaw=flaw)
            code, details, trailing = refusal(lambda headers=headers: call(port, shape, headers))
            assert code is grpc.StatusCode.UNAUTHENTICATED
            assert trailing["portcullis-code"].startswith("token.")
            assert 'error="invalid_token"' in trailing["www-authenticate"]
            for part in headers["authorization"].split("."):
                # An unsigned token has no third part.
                assert not part or part not in details + str(trailing)

    serve(kind, server, work)


@every_kind
def test_requirements_are_demanded(idp: Idp, server: Server, kind: str) -> None:
    alice, bob = idp.bearer("alice", scope="x"), idp.bearer("bob", scope="orders:read")

    def work(port: int) -> None:
        def unary(method: str, headers: dict[str, str]) -> Any:
            return call(port, method, headers, "unary_unary")

        assert unary("admin", alice) == [b"one of Alice Adams"]
        assert unary("scoped", bob) == [b"one of Bob Brown"]
        code, _details, trailing = refusal(lambda: unary("admin", bob))
        assert code is grpc.StatusCode.PERMISSION_DENIED
        assert trailing["portcullis-code"] == "policy.role"
        code, _details, trailing = refusal(lambda: unary("scoped", alice))
        assert code is grpc.StatusCode.PERMISSION_DENIED
        assert 'scope="orders:read"' in trailing["www-authenticate"]
        # A method that is not there says so to callers only who may ask.
        code, _details, _trailing = refusal(lambda: unary("missing", alice))
        assert code is grpc.StatusCode.UNIMPLEMENTED

    serve(kind, server, work)


@every_kind
def test_an_outage_is_unavailable(idp: Idp, server: Server, kind: str) -> None:
    headers = idp.bearer()
    idp.fault(jwks="500")

    def work(port: int) -> None:
        code, _details, trailing = refusal(lambda: call(port, "unary_unary", headers))
        assert code is grpc.StatusCode.UNAVAILABLE
        assert trailing["portcullis-code"] == "outage.keys"
        assert int(trailing["retry-after"]) > 0
        assert "www-authenticate" not in trailing

    serve(kind, server, work)


@every_kind
def test_two_credentials_are_refused(idp: Idp, server: Server, kind: str) -> None:
    value = idp.bearer()["authorization"]

    def work(port: int) -> None:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = channel.unary_unary("/orders.Orders/unary")
            metadata = (("authorization", value), ("authorization", value))
            code, _details, trailing = refusal(lambda: stub(b"one", metadata=metadata, timeout=20))
        assert code is grpc.StatusCode.UNAUTHENTICATED
        assert trailing["portcullis-code"] == "credential.repeated"

    serve(kind, server, work)


def test_the_default_is_for_methods_that_are_not_named(idp: Idp, server: Server) -> None:
    tokens = TokenInterceptor(server, {"/orders.Orders/unary": scope("x")}, default=role("Admin"))

    async def scenario() -> None:
        running = grpc.aio.server(interceptors=[tokens])
        running.add_generic_rpc_handlers([handlers(AsyncService())])
        port = running.add_insecure_port("127.0.0.1:0")
        await running.start()

        async def status(method: str, headers: dict[str, str]) -> Any:
            try:
                await asyncio.to_thread(call, port, method, headers, "unary_unary")
            except grpc.RpcError as error:
                return error.code()
            return grpc.StatusCode.OK

        bob, alice = idp.bearer("bob", scope="x"), idp.bearer("alice")
        assert await status("unary", bob) is grpc.StatusCode.OK
        assert await status("unary", alice) is grpc.StatusCode.PERMISSION_DENIED
        assert await status("scoped", bob) is grpc.StatusCode.PERMISSION_DENIED
        assert await status("scoped", alice) is grpc.StatusCode.OK
        await running.stop(None)

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", [TokenInterceptor, BlockingTokenInterceptor])
def test_a_mistyped_method_is_an_error(server: Server, kind: Any) -> None:
    for method in ("orders.Orders/List", "/orders.Orders", "/orders.Orders/", "//List", "/a/b/c"):
        with pytest.raises(ValueError, match="expected a method"):
            kind(server, {method: scope("x")})
        with pytest.raises(ValueError, match="expected a method"):
            kind(server, public=[method])
    with pytest.raises(ValueError, match="without a requirement"):
        kind(server, {"/a.A/B": scope("x")}, public="/a.A/B")


@pytest.mark.parametrize("kind", ["blocking", "async"])
def test_a_denied_call_runs_no_handler(idp: Idp, server: Server, kind: str) -> None:
    calls: list[str] = []

    def read(request: bytes) -> bytes:
        calls.append("message")
        return request

    async def run(request: Any, context: Any) -> bytes:
        calls.append("handler")
        return b""

    def run_blocking(request: Any, context: Any) -> bytes:
        calls.append("handler")
        return b""

    behavior = run if kind == "async" else run_blocking
    handler = grpc.unary_unary_rpc_method_handler(behavior, request_deserializer=read)

    def work(port: int) -> None:
        refusal(lambda: call(port, "noting", {}, "unary_unary"))
        # Only a pool has to read the message first.
        assert calls == ([] if kind == "async" else ["message"])
        call(port, "noting", idp.bearer(), "unary_unary")
        assert calls[-2:] == ["message", "handler"]

    serve(kind, server, work, noting=handler)


def test_there_is_no_token_outside_of_a_call() -> None:
    assert optional_token() is None
    with pytest.raises(LookupError, match="guarded"):
        current_token()


def test_errors_of_handlers_stay_theirs(idp: Idp, server: Server) -> None:
    async def abort(request: bytes, context: Any) -> bytes:
        assert current_token().name == "Alice Adams"
        await context.abort(grpc.StatusCode.NOT_FOUND, "no such order")

    async def abort_stream(request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"first"
        await context.abort(grpc.StatusCode.NOT_FOUND, "no such order")

    more = {
        "abort": grpc.unary_unary_rpc_method_handler(abort),
        "abort_stream": grpc.unary_stream_rpc_method_handler(abort_stream),
    }

    def work(port: int) -> None:
        headers = idp.bearer()
        for method, shape in (("abort", "unary_unary"), ("abort_stream", "unary_stream")):
            code, details, _trailing = refusal(
                lambda method=method, shape=shape: call(port, method, headers, shape)
            )
            assert (code, details) == (grpc.StatusCode.NOT_FOUND, "no such order")

    serve("async", server, work, **more)


class Waiting:
    """Handlers that wait for ever, each in another way."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    async def silent(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"first"
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()

    async def writing(self, request: bytes, context: Any) -> None:
        await context.write(b"first")
        try:
            while True:
                await context.write(b"more")
                await asyncio.sleep(0.01)
        finally:
            self.ended.set()

    async def reading(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        try:
            return b"".join([request async for request in requests])
        finally:
            self.ended.set()

    async def chatting(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        try:
            async for request in requests:
                yield request
        finally:
            self.ended.set()

    def handlers(self) -> dict[str, Any]:
        return {
            "silent": grpc.unary_stream_rpc_method_handler(self.silent),
            "writing": grpc.unary_stream_rpc_method_handler(self.writing),
            "reading": grpc.stream_unary_rpc_method_handler(self.reading),
            "chatting": grpc.stream_stream_rpc_method_handler(self.chatting),
        }


WAITING = {
    "silent": "unary_stream",
    "writing": "unary_stream",
    "reading": "stream_unary",
    "chatting": "stream_stream",
}


def open_call(channel: Any, method: str, headers: dict[str, str], done: threading.Event) -> Any:
    def requests() -> Iterator[bytes]:
        yield b"first"
        done.wait(30)

    shape = WAITING[method]
    stub = getattr(channel, shape)(f"/orders.Orders/{method}")
    metadata = tuple(headers.items())
    if shape == "stream_unary":
        return stub.future(requests(), metadata=metadata, timeout=20)
    request: Any = requests() if shape == "stream_stream" else b"one"
    response = stub(request, metadata=metadata, timeout=20)
    assert next(response) == b"first"
    return response


def end_of(response: Any, method: str) -> tuple[Any, str]:
    """How a call ended, once it did."""
    finish = response.result if WAITING.get(method) == "stream_unary" else lambda: list(response)
    with pytest.raises(grpc.RpcError):
        finish()
    return response.code(), response.details()


@pytest.mark.parametrize("method", list(WAITING))
def test_a_stream_ends_with_its_token(idp: Idp, server: Server, method: str) -> None:
    waiting, done = Waiting(), threading.Event()

    def work(port: int) -> None:
        # One that has just expired would be good for the leeway of clocks, a minute.
        headers = idp.bearer(lifetime=3)
        expires = claims_of(headers["authorization"])["exp"]
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            response = open_call(channel, method, headers, done)
            code, details = end_of(response, method)
            done.set()
        assert code is grpc.StatusCode.UNAUTHENTICATED
        assert "expired" in details
        assert time.time() >= expires
        assert waiting.ended.wait(10)

    serve("async", server, work, **waiting.handlers())


@pytest.mark.parametrize("method", ["silent", "chatting"])
def test_a_stream_ends_when_its_token_is_revoked(idp: Idp, server: Server, method: str) -> None:
    waiting, done = Waiting(), threading.Event()
    headers = idp.bearer()
    token = server.decide_blocking(headers)

    def work(port: int) -> None:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            response = open_call(channel, method, headers, done)
            server.revoke_blocking(token=token)
            code, details = end_of(response, method)
            done.set()
        assert code is grpc.StatusCode.UNAUTHENTICATED
        assert "revoked" in details
        assert waiting.ended.wait(10)

    serve("async", server, work, **waiting.handlers())


@pytest.mark.parametrize("method", ["silent", "writing", "chatting"])
def test_a_client_may_go_earlier(idp: Idp, server: Server, method: str) -> None:
    waiting, done = Waiting(), threading.Event()

    def work(port: int) -> None:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            response = open_call(channel, method, idp.bearer(), done)
            response.cancel()
            done.set()
            assert response.code() is grpc.StatusCode.CANCELLED
        assert waiting.ended.wait(10)

    serve("async", server, work, **waiting.handlers())


@pytest.mark.parametrize("kind", ["blocking", "migrated"])
def test_a_generator_ends_at_its_first_message_after_expiry(
    idp: Idp, server: Server, kind: str
) -> None:
    def count(request: bytes, context: Any) -> Iterator[bytes]:
        while context.is_active() if hasattr(context, "is_active") else True:
            yield b"more"
            time.sleep(0.01)

    def work(port: int) -> None:
        headers = idp.bearer(lifetime=3)
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = channel.unary_stream("/orders.Orders/count")
            response = stub(b"one", metadata=tuple(headers.items()), timeout=20)
            assert next(response) == b"more"
            code, details = end_of(response, "count")
        assert (code, details) == (grpc.StatusCode.UNAUTHENTICATED, "the access token expired")

    serve(kind, server, work, count=grpc.unary_stream_rpc_method_handler(count))


PAGE = Path(__file__).parents[3] / "docs" / "python" / "grpc.md"


def add_to_server(service: Any, server: Any) -> None:
    """As protoc would write it."""
    methods = {
        "List": grpc.unary_unary_rpc_method_handler(service.list),
        "Delete": grpc.unary_unary_rpc_method_handler(service.list),
        "Watch": grpc.unary_stream_rpc_method_handler(service.watch),
    }
    check = {"Check": grpc.unary_unary_rpc_method_handler(service.check)}
    server.add_generic_rpc_handlers(
        [
            grpc.method_handlers_generic_handler("orders.Orders", methods),
            grpc.method_handlers_generic_handler("grpc.health.v1.Health", check),
        ]
    )


def check_page(idp: Idp, port: int) -> None:
    reader, admin = idp.bearer("bob", scope="orders:read"), idp.bearer("alice")
    assert call(port, "List", reader, "unary_unary") == [b"orders of Bob Brown"]
    assert call(port, "Delete", admin, "unary_unary") == [b"orders of Alice Adams"]
    for method, headers in (("List", admin), ("Delete", reader)):
        code, *_rest = refusal(lambda m=method, h=headers: call(port, m, h, "unary_unary"))
        assert code is grpc.StatusCode.PERMISSION_DENIED
    code, *_rest = refusal(lambda: call(port, "Watch", {}, "unary_stream"))
    assert code is grpc.StatusCode.UNAUTHENTICATED
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=20) == b"serving"
        watch = channel.unary_stream("/orders.Orders/Watch")
        assert next(watch(b"", metadata=tuple(admin.items()), timeout=20)) == b"an order"


def test_the_page_does_what_it_says(idp: Idp, monkeypatch) -> None:
    monkeypatch.setenv("OAUTH2_ISSUER", idp.issuer)
    monkeypatch.setenv("OAUTH2_AUDIENCE", AUDIENCE)
    names: dict[str, Any] = {
        "__name__": "page",
        "add_to_server": add_to_server,
        "next_order": lambda: asyncio.Event().wait(),
    }
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    try:
        for block in blocks:
            exec(compile(block, PAGE.name, "exec"), names)
        assert "portcullis_decisions_total" in generate_latest(REGISTRY).decode()
    finally:
        REGISTRY.unregister(names["collector"])

    async def scenario() -> None:
        running, port = await names["serve"]("127.0.0.1:0")
        await asyncio.to_thread(check_page, idp, port)
        await running.stop(None)

    asyncio.run(scenario())
    running, port = names["serve_blocking"]("127.0.0.1:0")
    check_page(idp, port)
    running.stop(None).wait()


def test_a_call_waits_for_keys_without_the_loop(idp: Idp, server: Server) -> None:
    headers = idp.bearer()
    idp.fault(jwks="slow:500")

    async def scenario() -> None:
        async with async_server(server, AsyncService()) as port:
            waiting = asyncio.create_task(asyncio.to_thread(call, port, "unary_unary", headers))
            served = 0
            while not waiting.done():
                await asyncio.to_thread(call, port, "public", {}, "unary_unary")
                served += 1
            assert await waiting == [b"one of Alice Adams"]
            assert served > 10

    asyncio.run(scenario())


class Turns:
    """Functions and generators that wait for their turn before the second message."""

    def __init__(self) -> None:
        self.first, self.turn = threading.Event(), threading.Event()
        self.read: list[bytes] = []

    def count(self, request: bytes, context: Any) -> Iterator[bytes]:
        yield b"first"
        self.turn.wait(20)
        yield b"second"

    def collect(self, requests: Iterator[bytes], context: Any) -> bytes:
        for request in requests:
            self.read.append(request)
            self.first.set()
        return b"all"

    def chat(self, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        for request in requests:
            self.read.append(request)
            yield request

    def requests(self) -> Iterator[bytes]:
        yield b"first"
        self.turn.wait(20)
        yield b"second"

    def handlers(self) -> dict[str, Any]:
        return {
            "count": grpc.unary_stream_rpc_method_handler(self.count),
            "collect": grpc.stream_unary_rpc_method_handler(self.collect),
            "chat": grpc.stream_stream_rpc_method_handler(self.chat),
        }

    def begin(self, channel: Any, method: str, headers: dict[str, str]) -> Any:
        """The call, once its first message is through."""
        metadata = tuple(headers.items())
        options: Any = {"metadata": metadata, "timeout": 20}
        path = f"/orders.Orders/{method}"
        if method == "collect":
            response: Any = channel.stream_unary(path).future(self.requests(), **options)
            assert self.first.wait(20)
            return response
        if method == "count":
            response = channel.unary_stream(path)(b"one", **options)
        else:
            response = channel.stream_stream(path)(self.requests(), **options)
        assert next(response) == b"first"
        return response


every_turn = pytest.mark.parametrize("method", ["count", "collect", "chat"])
with_functions = pytest.mark.parametrize("kind", ["blocking", "migrated"])


@with_functions
@every_turn
def test_a_revocation_ends_a_stream_of_functions_at_its_next_message(
    idp: Idp, server: Server, kind: str, method: str
) -> None:
    turns, headers = Turns(), idp.bearer()
    token = server.decide_blocking(headers)

    def work(port: int) -> None:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            response = turns.begin(channel, method, headers)
            server.revoke_blocking(token=token)
            turns.turn.set()
            rest = response.result if method == "collect" else lambda: next(response)
            code, details, trailing = refusal(rest)
        assert code is grpc.StatusCode.UNAUTHENTICATED
        assert "revoked" in details
        assert trailing["portcullis-code"] == "token.revoked"
        assert 'error="invalid_token"' in trailing["www-authenticate"]
        assert b"second" not in turns.read

    serve(kind, server, work, **turns.handlers())


@with_functions
@every_turn
def test_a_stream_of_functions_goes_on_with_a_good_token(
    idp: Idp, server: Server, kind: str, method: str
) -> None:
    turns = Turns()

    def work(port: int) -> None:
        # Accepted within the leeway for clocks, it is good for the rest of the leeway.
        headers = idp.bearer(claims=json.dumps({"exp": int(time.time()) - 1}))
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            response = turns.begin(channel, method, headers)
            turns.turn.set()
            if method == "collect":
                assert response.result() == b"all"
            else:
                assert list(response) == [b"second"]

    serve(kind, server, work, **turns.handlers())


@with_functions
def test_requests_that_end_after_the_token_are_not_acted_on(
    idp: Idp, server: Server, kind: str
) -> None:
    turns, headers, actions = Turns(), idp.bearer(), []
    token = server.decide_blocking(headers)

    def act(requests: Iterator[bytes], context: Any) -> bytes:
        turns.collect(requests, context)
        actions.append(list(turns.read))
        return b"all"

    def requests() -> Iterator[bytes]:
        yield b"first"
        turns.turn.wait(20)

    def work(port: int) -> None:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = channel.stream_unary("/orders.Orders/act")
            response = stub.future(requests(), metadata=tuple(headers.items()), timeout=20)
            assert turns.first.wait(20)
            server.revoke_blocking(token=token)
            turns.turn.set()
            code, *_rest = refusal(response.result)
        assert code is grpc.StatusCode.UNAUTHENTICATED
        assert actions == []

    serve(kind, server, work, act=grpc.stream_unary_rpc_method_handler(act))


@with_functions
def test_a_handler_cannot_save_a_call_whose_token_ended(
    idp: Idp, server: Server, kind: str
) -> None:
    turns, headers = Turns(), idp.bearer()
    token = server.decide_blocking(headers)

    def persist(requests: Iterator[bytes], context: Any) -> bytes:
        try:
            return turns.collect(requests, context)
        except Exception:
            return b"saved"

    def work(port: int) -> None:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            response = turns.begin(channel, "collect", headers)
            server.revoke_blocking(token=token)
            turns.turn.set()
            code, details, _trailing = refusal(response.result)
        assert code is grpc.StatusCode.UNAUTHENTICATED
        assert "revoked" in details

    serve(kind, server, work, collect=grpc.stream_unary_rpc_method_handler(persist))


class LostStore:
    """A server whose store of revocations is gone once a call is under way."""

    def __init__(self, server: Server, outage: Outage) -> None:
        self.decide = server.decide
        self.decide_blocking = server.decide_blocking
        self.outage: Outage | None = None
        self._outage = outage

    def lose(self) -> None:
        self.outage = self._outage

    def recheck(self, token: Token) -> None:
        if self.outage is not None:
            raise self.outage


@with_functions
@every_turn
def test_an_outage_ends_a_stream_of_functions_as_unavailable(
    idp: Idp, server: Server, kind: str, method: str
) -> None:
    turns, headers = Turns(), idp.bearer()
    idp.fault(jwks="500")
    with pytest.raises(Outage) as caught:
        Server(idp.issuer, AUDIENCE).decide_blocking(headers)
    idp.clear_faults()
    lost: Any = LostStore(server, caught.value)

    def work(port: int) -> None:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            response = turns.begin(channel, method, headers)
            lost.lose()
            turns.turn.set()
            rest = response.result if method == "collect" else lambda: next(response)
            code, _details, trailing = refusal(rest)
        assert code is grpc.StatusCode.UNAVAILABLE
        assert int(trailing["retry-after"]) > 0
        assert "www-authenticate" not in trailing

    serve(kind, lost, work, **turns.handlers())
