"""Forks: what a child does with the objects of its parent. Each test has a process of its own:
other packages, such as gRPC, do not survive the fork of a process that has used them."""

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Idp
from serving import PATIENCE

START = """
import asyncio, faulthandler, gc, logging, os, sys

from conftest import AUDIENCE, Idp
from portcullis_auth import Server
from portcullis_auth import testing

logging.disable()
idp = Idp(sys.argv[1])


async def decide(server, headers):
    decision = server.decide(headers)
    return decision if hasattr(decision, "name") else await decision


def in_a_child(work):
    child = os.fork()
    if child == 0:
        try:
            # A child that hangs shows where, and ends.
            faulthandler.dump_traceback_later(20, exit=True)
            work()
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(2)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, "the child failed"


def decides_both_ways(server):
    assert server.decide_blocking(idp.bearer()).name == "Alice Adams"
    assert asyncio.run(decide(server, idp.bearer("bob"))).name == "Bob Brown"
"""


def run(idp: Idp, program: str) -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", START + program]
    place = Path(__file__).parent
    arguments = [*command, idp.issuer]
    ended = subprocess.run(arguments, cwd=place, capture_output=True, text=True, timeout=PATIENCE)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_child_decides_with_keys_of_its_own(idp: Idp) -> None:
    run(
        idp,
        """
server = Server(idp.issuer, AUDIENCE)
decides_both_ways(server)
for _ in range(10):
    in_a_child(lambda: decides_both_ways(server))
decides_both_ways(server)
""",
    )


def test_a_child_decides_while_its_parent_fetches(idp: Idp) -> None:
    idp.fault(jwks="slow:100")
    run(
        idp,
        """
async def fork_while_waiting(server):
    pending = asyncio.ensure_future(server.decide(idp.bearer()))
    await asyncio.sleep(0.03)
    in_a_child(lambda: server.decide_blocking(idp.bearer()))
    assert (await pending).name == "Alice Adams"

for _ in range(10):
    asyncio.run(fork_while_waiting(Server(idp.issuer, AUDIENCE)))
""",
    )


def test_a_child_forgets_what_its_parent_had(idp: Idp) -> None:
    run(
        idp,
        """
objects = [Server(idp.issuer, AUDIENCE), testing.Idp()]
decides_both_ways(objects[0])
token = objects[1].bearer()

def forget():
    objects.clear()
    gc.collect()
    decides_both_ways(Server(idp.issuer, AUDIENCE))

in_a_child(forget)
decides_both_ways(objects[0])
assert Server(objects[1].issuer, objects[1].audience).decide_blocking(token)
""",
    )


@pytest.mark.parametrize("way", ["idp.stop()", "idp.__exit__(None, None, None)"])
def test_a_child_does_not_stop_the_provider_of_its_parent(idp: Idp, way: str) -> None:
    run(
        idp,
        f"""
idp = testing.Idp()
in_a_child(lambda: {way})
assert Server(idp.issuer, idp.audience).decide_blocking(idp.bearer())
idp.stop()
""",
    )
