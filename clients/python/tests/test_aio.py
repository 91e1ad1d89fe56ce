"""The asyncio client, against a host that the test scripts."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from contextvars import ContextVar
from time import sleep

import grpc
import pytest
from grpc import aio
from host import CLOSED, CLOSING, DISPLAY, OPEN, OPENING, ScriptedHost, dated, refuse, told

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
        with pytest.raises(GatewayError, match="CANCELLED: The program cancelled the call"):
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
    with pytest.raises(GatewayError, match="CANCELLED: The program cancelled the call"):
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


async def test_signs_of_life_keep_a_session_and_are_not_handed_on(host: ScriptedHost, address: str) -> None:
    def opens(_: grpc.ServicerContext) -> Iterator[OpenSessionResponse]:
        for each in told(OPENING, OPEN):
            yield dated(each)
            for _heartbeat in range(3):
                sleep(0.2)
                yield dated(OpenSessionResponse())

    host.opens = opens
    async with connect(address) as client, client.sessions.open(DISPLAY, heartbeat_interval=0.15) as session:
        assert [event.session.state async for event in session] == [OPENING, OPEN]


async def test_a_host_that_falls_silent_ends_the_session_here(host: ScriptedHost, address: str) -> None:
    def opens(context: grpc.ServicerContext) -> Iterator[OpenSessionResponse]:
        yield from map(dated, told(OPENING, OPEN))
        host.silent(context)

    host.opens = opens
    async with connect(address) as client, client.sessions.open(DISPLAY, heartbeat_interval=0.1) as session:
        await session.wait_open()
        with pytest.raises(GatewayError, match=r"UNAVAILABLE: The host has been silent for 0\.3 s"):
            await anext(session)
    assert await asyncio.to_thread(host.gone.wait, 10)


async def test_a_host_that_knows_no_signs_of_life_may_be_silent(host: ScriptedHost, address: str) -> None:
    def opens(_: grpc.ServicerContext) -> Iterator[OpenSessionResponse]:
        yield from told(OPENING)
        sleep(0.6)
        yield from told(OPEN)

    host.opens = opens
    async with connect(address) as client, client.sessions.open(DISPLAY, heartbeat_interval=0.1) as session:
        assert (await session.wait_open()).state == OPEN


async def test_a_watch_that_hears_nothing_attaches_again(host: ScriptedHost, address: str) -> None:
    def silent(context: grpc.ServicerContext) -> Iterator[WatchSessionsResponse]:
        host.silent(context)
        yield WatchSessionsResponse()

    host.watches = [silent, lambda _: iter([WatchSessionsResponse(cursor="c2")])]
    backoff = Backoff(initial=0.001, max=0.001)
    async with (
        connect(address) as client,
        aclosing(client.sessions.watch(bookmark_interval=0.1, backoff=backoff)) as watch,
    ):
        broken = await anext(watch)
        assert isinstance(broken, Disconnected)
        assert str(broken.error) == "UNAVAILABLE: The host has been silent for 0.3 s."
        assert await anext(watch) == Bookmark("c2")


async def test_a_task_that_is_cancelled_while_it_waits_for_a_heartbeat_stays_so(
    host: ScriptedHost, address: str
) -> None:
    def opens(context: grpc.ServicerContext) -> Iterator[OpenSessionResponse]:
        yield from map(dated, told(OPENING))
        host.silent(context)

    async def read() -> None:
        async with connect(address) as client, client.sessions.open(DISPLAY) as session:
            await session.wait_open()

    host.opens = opens
    reading = asyncio.create_task(read())
    await asyncio.to_thread(host.waiting.wait)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_every_call_has_what_the_hook_for_metadata_gives(host: ScriptedHost, address: str) -> None:
    tenant = ContextVar("tenant", default="")

    async def hook() -> dict[str, str]:
        return {"x-tenant": tenant.get()}

    async with connect(address, metadata=hook) as client:
        for name in ("berlin", "oslo"):
            tenant.set(name)
            await client.sessions.get("a-session")
    assert [headers["x-tenant"] for headers in host.headers] == ["berlin", "oslo"]


def test_a_client_that_is_made_before_there_is_a_loop_works_in_the_first_and_in_the_next(
    host: ScriptedHost, address: str
) -> None:
    client = connect(address)
    host.watches = [lambda _: iter([WatchSessionsResponse(cursor="c1")])] * 9

    async def use() -> None:
        assert (await client.sessions.get("a-session")).cursor == "c1"
        async with client.sessions.open(DISPLAY) as session:
            assert (await anext(session)).session.state == OPENING
        async with aclosing(client.sessions.watch(backoff=Backoff(initial=0.001, max=0.001))) as watch:
            assert await anext(watch) == Bookmark("c1")
            assert isinstance(await anext(watch), Disconnected)
            reading = asyncio.create_task(next_of(watch))
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading

    asyncio.run(use())
    asyncio.run(use())
    asyncio.run(client.close())
    with pytest.raises(GatewayError, match="CANCELLED: The client was closed"):
        asyncio.run(use())


def test_a_client_that_is_made_in_a_thread_without_a_loop_works(address: str) -> None:
    with ThreadPoolExecutor(1) as threads:
        client = threads.submit(connect, address).result()

    async def use() -> str:
        async with client:
            return (await client.sessions.get("a-session")).cursor

    assert asyncio.run(use()) == "c1"


def test_a_client_in_use_in_one_loop_is_refused_to_another_with_the_cause(address: str) -> None:
    client = connect(address)

    async def use() -> str:
        return (await client.sessions.get("a-session")).cursor

    async def use_in_both() -> None:
        assert await use() == "c1"
        with pytest.raises(
            GatewayError, match=r"FAILED_PRECONDITION: Another event loop .* create one client per loop"
        ):
            await asyncio.to_thread(asyncio.run, use())
        assert await use() == "c1"
        await client.close()

    asyncio.run(use_in_both())


def test_a_client_without_a_loop_says_what_is_wrong(address: str) -> None:
    with pytest.raises(GatewayError, match="FAILED_PRECONDITION: No event loop is running"):
        _ = connect(address).channel


async def test_a_message_that_can_not_be_parsed_is_internal_and_no_end_for_a_watch() -> None:
    async def garbage(_: bytes, _context: aio.ServicerContext[bytes, bytes]) -> bytes:
        return b"\x0ad\x00"

    async def garbage_stream(_: bytes, _context: aio.ServicerContext[bytes, bytes]) -> AsyncIterator[bytes]:
        yield b"\x0ad\x00"

    server = aio.server()
    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        "GetSession": grpc.unary_unary_rpc_method_handler(garbage),
        "OpenSession": grpc.unary_stream_rpc_method_handler(garbage_stream),
        "WatchSessions": grpc.unary_stream_rpc_method_handler(garbage_stream),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("wifidirect.v1.SessionService", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with connect(f"127.0.0.1:{port}") as client:
        with pytest.raises(GatewayError, match="INTERNAL: A message of the host can't be parsed"):
            await client.sessions.get("a-session")
        with pytest.raises(GatewayError, match="INTERNAL: A message of the host can't be parsed"):
            async with client.sessions.open(DISPLAY):
                pytest.fail("there is no session")
        async with aclosing(client.sessions.watch()) as watch:
            broken = await anext(watch)
            assert isinstance(broken, Disconnected)
            assert broken.error.code is grpc.StatusCode.INTERNAL
    await server.stop(None)
