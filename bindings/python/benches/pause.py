"""How long the loop of an application pauses while a key rotates and the provider is slow.

>>> python benches/pause.py --python VENV/bin/python --idp portcullis --rate 200 --runs 5

The load is paced: with as many requests as fit, the loop would pause for the requests themselves.
"""

import argparse
import asyncio
import json
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from statistics import median

from compare import LOAD_CORE, SERVER_CORE, describe_installation
from provider import AUDIENCE, Provider, run_provider
from serving import connect, environment_for, serve

CONNECTIONS = 20
SECONDS = 6.0
ROTATION = 1.0
"""Seconds after the begin of the load."""
SLOW = "slow:2000"
"""The key set takes two seconds."""

APPS = {
    "no protection": "unprotected",
    "portcullis-auth": "portcullis",
    "PyJWT, `PyJWKClient`": "pyjwt_client",
    "the same, `cooldown_duration=0`": "pyjwt_client",
}


@dataclass
class Figures:
    """The figures of one application."""

    longest: list[float] = field(default_factory=list)
    """The longest pause of each run, in milliseconds."""
    usual: list[float] = field(default_factory=list)
    """The pause that 99 of 100 do not exceed, in milliseconds."""
    statuses: Counter[int] = field(default_factory=Counter)


async def call(port: int, tokens: list[str], number: int, rate: float) -> Counter[int]:
    """The requests of one connection, at its share of the rate."""
    connection = await connect(port)
    statuses: Counter[int] = Counter()
    interval = CONNECTIONS / rate
    begin = time.monotonic() + interval * number / CONNECTIONS
    for turn in range(int(SECONDS / interval)):
        due = begin + turn * interval
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        status, _ = await connection.get("/me", tokens[(number + turn) % len(tokens)])
        statuses[status] += 1
    connection.close()
    return statuses


async def run_load(
    port: int, provider: Provider, tokens: list[str], rate: float
) -> tuple[Counter[int], list[float]]:
    """Statuses and pauses while the key rotates. Half of the callers have new tokens from then."""
    await read_pauses(port)
    old = [asyncio.create_task(call(port, tokens, n, rate)) for n in range(CONNECTIONS // 2)]
    await asyncio.sleep(ROTATION)
    await asyncio.to_thread(provider.command, "/dev/faults", jwks=SLOW)
    await asyncio.to_thread(provider.command, "/dev/rotate", overlap="true")
    fresh = await asyncio.to_thread(provider.mint, 50)
    new = [
        asyncio.create_task(call(port, fresh, n, rate))
        for n in range(CONNECTIONS // 2, CONNECTIONS)
    ]
    statuses = sum(await asyncio.gather(*old, *new), Counter[int]())
    return statuses, await read_pauses(port)


async def read_pauses(port: int) -> list[float]:
    """The pauses since the last time, in seconds, the longest last."""
    connection = await connect(port)
    _, body = await connection.get("/pauses", "")
    connection.close()
    pauses: list[float] = json.loads(body)
    return pauses


def run_once(options: argparse.Namespace, provider: Provider, title: str, own: Figures) -> None:
    """One application, with a process of its own, so that it has keys to fetch."""
    module = APPS[title]
    more = {"PYJWT_COOLDOWN": "0"} if "cooldown" in title else {}
    provider.command("/dev/faults", jwks="none")
    tokens = provider.mint(50)
    python = ["taskset", "-c", str(SERVER_CORE), options.python]
    environment = environment_for(provider.issuer, AUDIENCE)
    with serve(python, f"apps.{module}", environment, WATCH_LOOP="1", **more) as server:
        server.measure(tokens)
        load = run_load(server.port, provider, tokens, options.rate)
        statuses, pauses = asyncio.run(load)
    own.statuses += statuses
    own.longest.append(pauses[-1] * 1000)
    own.usual.append(pauses[len(pauses) * 99 // 100] * 1000)


def main() -> None:
    """Runs the bench and prints its table."""
    parser = argparse.ArgumentParser(description="Measures pauses of the loop.")
    parser.add_argument("--python", required=True, help="the interpreter with the packages")
    parser.add_argument("--idp", default="portcullis", help="the command `portcullis`")
    parser.add_argument("--rate", type=float, default=200, help="requests for each second")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    print(describe_installation(options.python))
    os.sched_setaffinity(0, {LOAD_CORE})
    figures = {title: Figures() for title in APPS}
    with run_provider(options.idp) as provider:
        for _ in range(options.runs):
            for title in APPS:
                run_once(options, provider, title, figures[title])
    print("| | longest pause, ms: median of runs, worst | 99th percentile, ms | responses |")
    print("|---|---|---|---|")
    for title, own in figures.items():
        statuses = ", ".join(f"{status}: {own.statuses[status]}" for status in sorted(own.statuses))
        longest = f"{median(own.longest):.1f}, {max(own.longest):.1f}"
        print(f"| {title} | {longest} | {median(own.usual):.1f} | {statuses} |")


if __name__ == "__main__":
    main()
