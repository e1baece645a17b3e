"""A server as a process, the load on it, and its processor time."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
CONNECTIONS = 16


class ServerProcess:
    """A running uvicorn with one worker."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    def processor_seconds(self) -> float:
        """The processor time so far, of all threads. `stat` counts in hundredths of a second only,
        `schedstat` in nanoseconds."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def resident_kib(self) -> int:
        """The resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def measure(self, tokens: list[str]) -> float:
        """The microseconds of processor time for each request."""
        before = self.processor_seconds()
        asyncio.run(send_all(self.port, tokens))
        return (self.processor_seconds() - before) / len(tokens) * 1e6


@contextmanager
def serve(
    python: list[str], module: str, environment: dict[str, str], **more: str
) -> Iterator[ServerProcess]:
    """Runs the application of a module."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    arguments = ["--fd", str(listener.fileno()), "--factory", f"{module}:make_app"]
    process = subprocess.Popen(
        [*python, "-m", "uvicorn", "--no-access-log", "--log-level", "warning", *arguments],
        env={**environment, **more},
        pass_fds=[listener.fileno()],
    )
    port = listener.getsockname()[1]
    listener.close()
    try:
        yield ServerProcess(process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


async def send_all(port: int, tokens: list[str]) -> None:
    """One request for each token, over connections that stay open."""
    shares = [tokens[begin::CONNECTIONS] for begin in range(CONNECTIONS)]
    await asyncio.gather(*(send_share(port, share) for share in shares if share))


async def send_share(port: int, tokens: list[str]) -> None:
    """The requests of one connection, one after the other."""
    connection = await connect(port)
    for token in tokens:
        status, _ = await connection.get("/me", token)
        if status != 200:
            raise RuntimeError(f"expected status 200, found {status}")
    connection.close()


class Connection:
    """A connection over which requests follow one another."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def get(self, path: str, token: str) -> tuple[int, bytes]:
        """The status and the body."""
        request = f"GET {path} HTTP/1.1\r\nhost: api\r\nauthorization: Bearer {token}\r\n\r\n"
        self._writer.write(request.encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
        return int(head.split(maxsplit=2)[1]), await self._reader.readexactly(int(length))

    def close(self) -> None:
        """Closes it."""
        self._writer.close()


async def connect(port: int) -> Connection:
    """A connection to a server on this machine."""
    return Connection(*await asyncio.open_connection("127.0.0.1", port, limit=2**24))


def environment_for(issuer: str, audience: str) -> dict[str, str]:
    """The environment of an application. A PYTHONPATH of the caller stays."""
    path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
    settings = {"OAUTH2_ISSUER": issuer, "OAUTH2_AUDIENCE": audience, "PYTHONPATH": path}
    return {**os.environ, **settings}
