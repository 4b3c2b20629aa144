"""Which port is taken, which is free, and who may reach it."""

import contextlib
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import listening
from hub.listening import PortError, choose_port, free_port, is_loopback, is_open, url_host

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_port_that_was_asked_for_and_is_taken_is_refused_in_words(taken: int) -> None:
    with pytest.raises(PortError, match=f"Port {taken} is taken by another program"):
        choose_port("127.0.0.1", taken)


def test_the_next_free_port_follows_a_default_that_is_taken(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "DEFAULT_PORT", taken)
    assert taken < choose_port("127.0.0.1", None) < taken + 100


def test_zero_takes_any_free_port_and_a_free_one_is_kept() -> None:
    port = choose_port("127.0.0.1", 0)
    assert choose_port("127.0.0.1", port) == port
    assert free_port("127.0.0.1") > 1023


def test_a_free_port_is_none_that_others_are_given_by_chance() -> None:
    found = {free_port("127.0.0.1") for _ in range(50)}
    with socket.socket() as other, socket.socket() as server, socket.socket() as client:
        other.bind(("127.0.0.1", 0))
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())
        assert max(found) < min(made.getsockname()[1] for made in (other, server, client))


def test_a_free_port_is_given_once_in_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    few = range(19_000, 19_014)
    monkeypatch.setattr(listening, "_QUIET_PORTS", few)
    program = (
        f"import sys; from hub import listening; listening._QUIET_PORTS = {few!r}; "
        "print(listening.free_port(), flush=True); sys.stdin.read()"
    )
    others = [
        subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    with contextlib.ExitStack() as stack:
        for other in others:
            stack.enter_context(other)
        given = [int(other.stdout.readline()) for other in others if other.stdout is not None]
        given += [free_port("127.0.0.1") for _ in range(10)]
    assert len(set(given)) == len(given) == 12


def test_many_free_ports_may_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "_promised", deque(maxlen=3))
    assert len([free_port("127.0.0.1") for _ in range(10)]) == 10
    assert all(sign.fileno() >= 0 for sign in listening._promised)


async def test_an_open_port_is_told_from_a_closed_one(taken: int) -> None:
    assert await is_open("127.0.0.1", taken)
    assert not await is_open("127.0.0.1", free_port("127.0.0.1"))


@pytest.mark.parametrize(
    ("host", "name", "own"), [("0.0.0.0", "127.0.0.1", False), ("::1", "[::1]", True), ("localhost", "localhost", True)]
)
def test_addresses_in_urls(host: str, name: str, own: bool) -> None:
    assert (url_host(host), is_loopback(host)) == (name, own)
