"""Which addresses are dialled for people, and which are not."""

from __future__ import annotations

import asyncio
import socket

import pytest

from integrations.errors import Rejected, Transient
from integrations.reach import dial, is_public
from tests.patience import PATIENCE_S


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.8",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:0:53aa:64c:0:0:f5ff:fffe",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12:3456::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "no address",
        "",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


# Forms of this machine's own address, as people write them to get past a guard.
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "0.0.0.0",
        "::1",
        "::ffff:127.0.0.1",
        "127.0.0.1.",
    ],
)
async def test_no_form_of_a_private_address_is_dialled(host: str) -> None:
    listening = await asyncio.start_server(lambda reader, writer: pytest.fail("it was dialled"), "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(Rejected) as refused:
            (await dial(host, port)).close()

    assert refused.value.code in ("private_address", "unknown_host")


async def test_a_private_address_is_dialled_where_that_is_allowed() -> None:
    met = asyncio.Event()

    def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.set()
        writer.close()

    listening = await asyncio.start_server(meet, "127.0.0.1", 0)
    async with listening:
        with await dial("127.0.0.1", listening.sockets[0].getsockname()[1], allow_private=True) as made:
            await asyncio.wait_for(met.wait(), PATIENCE_S)
            assert made.gettimeout() == 0.0


async def test_a_server_that_does_not_listen_is_a_passing_failure() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

    with pytest.raises(Transient) as failed:
        await dial("127.0.0.1", port, allow_private=True)

    assert not failed.value.ambiguous


@pytest.mark.parametrize(
    ("host", "port"), [("", 993), ("x" * 300, 993), ("127.0.0.1", 0), ("127.0.0.1", 70000), ("a\0b", 993), ("-.-", 993)]
)
async def test_what_is_no_host_is_refused(host: str, port: int) -> None:
    with pytest.raises(Rejected):
        await dial(host, port, allow_private=True)
