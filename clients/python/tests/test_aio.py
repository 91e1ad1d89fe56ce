"""The asyncio client, against a host that the test scripts."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import grpc
import pytest
from host import CLOSED, CLOSING, DISPLAY, OPEN, OPENING, ScriptedHost, refuse, told

from wifidirect.v1.session_service_pb2 import OpenSessionResponse, WatchSessionsResponse
from wifidirect_gateway import Backoff, Bookmark, Disconnected, GatewayError, Reason, SessionWatchItem
from wifidirect_gateway.aio import connect


async def test_a_session_is_read_from_its_first_event_to_its_last(host: ScriptedHost, address: str) -> None:
    host.opens = lambda _: told(OPENING, OPEN, CLOSING, CLOSED)
    async with connect(address) as client, client.sessions.open(DISPLAY) as session:
        assert (await anext(session)).session.state == OPENING
        assert (await session.wait_open()).state == OPEN
        assert (await session.close()).state == CLOSED
        assert [event.session.state async for event in session] == [CLOSING, CLOSED]
        with pytest.raises(GatewayError, match="CANCELLED: The session ended before"):
            await session.wait_open()


async def test_an_open_that_is_refused_holds_nothing(host: ScriptedHost, address: str) -> None:
    host.opens = lambda context: refuse(context, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    async with connect(address) as client:
        with pytest.raises(GatewayError) as raised:
            async with client.sessions.open("nonsense"):
                pytest.fail("it was refused")
    assert raised.value.reason is Reason.INVALID_FIELD


async def test_a_session_that_is_detached_is_not_a_task_that_is_cancelled(host: ScriptedHost, address: str) -> None:
    def opens(_: grpc.ServicerContext) -> Iterator[OpenSessionResponse]:
        yield from told(OPENING)
        host.gone.wait()

    host.opens = opens
    async with connect(address) as client, client.sessions.open(DISPLAY) as session:
        assert (await anext(session)).session.state == OPENING
        asyncio.get_running_loop().call_soon(session.detach)
        with pytest.raises(GatewayError, match="CANCELLED: The call was cancelled here"):
            await session.wait_open()


async def next_of(watch: AsyncIterator[SessionWatchItem]) -> SessionWatchItem:
    return await anext(watch)


async def test_a_task_that_is_cancelled_stays_so(host: ScriptedHost, address: str) -> None:
    async with connect(address) as client:
        reading = asyncio.create_task(next_of(client.sessions.watch()))
        await asyncio.to_thread(host.waiting.wait)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading


async def test_pages_are_asked_for_as_they_are_needed(host: ScriptedHost, address: str) -> None:
    async with connect(address) as client:
        sessions = client.sessions.list()
        assert [(await anext(sessions)).session_id for _ in range(3)] == ["a", "b", "c"]
        with pytest.raises(GatewayError, match="No such page"):
            await anext(sessions)
        assert host.seen == ["", "second", "third"]


async def test_a_watch_attaches_again_from_its_last_cursor(host: ScriptedHost, address: str) -> None:
    host.watches = [
        lambda _: iter([WatchSessionsResponse(cursor="c1")]),
        lambda _: iter([WatchSessionsResponse(cursor="c2")]),
    ]
    backoff = Backoff(initial=0.001, max=0.001)
    async with connect(address) as client, aclosing(client.sessions.watch(backoff=backoff)) as watch:
        assert await anext(watch) == Bookmark("c1")
        assert isinstance(await anext(watch), Disconnected)
        assert await anext(watch) == Bookmark("c2")
    assert host.seen == ["", "c1"]


async def test_a_closed_client_ends_a_watch_and_every_call(host: ScriptedHost, address: str) -> None:
    client = connect(address)
    reading = asyncio.create_task(next_of(client.sessions.watch()))
    await asyncio.to_thread(host.waiting.wait)
    await client.close()
    with pytest.raises(GatewayError, match="CANCELLED: The client was closed"):
        await reading
    with pytest.raises(GatewayError, match="CANCELLED: The client was closed"):
        await client.sessions.get("a-session")


async def test_a_closed_client_that_was_never_used_says_so(address: str) -> None:
    client = connect(address)
    await client.close()
    for call in (client.host, client.health):
        with pytest.raises(GatewayError, match="CANCELLED: The client was closed"):
            await call()


async def test_a_closed_client_ends_a_call_that_waits(host: ScriptedHost, address: str) -> None:
    client = connect(address)
    asking = asyncio.create_task(client.sessions.get("slow-session"))
    await asyncio.to_thread(host.waiting.wait)
    await client.close()
    with pytest.raises(GatewayError, match="CANCELLED: The call was cancelled here"):
        await asking


async def test_a_closed_client_ends_a_watch_that_pauses() -> None:
    client = connect("127.0.0.1:1")
    watch = client.sessions.watch(backoff=Backoff(initial=1000, max=1000, random=lambda: 1.0))
    assert isinstance(await anext(watch), Disconnected)
    asyncio.get_running_loop().call_later(0.01, lambda: asyncio.ensure_future(client.close()))
    with pytest.raises(GatewayError, match="CANCELLED: The client was closed"):
        await anext(watch)


async def test_a_token_may_be_awaited(host: ScriptedHost, address: str) -> None:
    async def token() -> str:
        return "secret"

    async with connect(address, token=token) as client:
        await client.sessions.get("a-session")
    assert host.seen[0] == "Bearer secret"
