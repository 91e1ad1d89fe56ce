"""The blocking client, against a host that the test scripts."""

import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from threading import Event, Thread, Timer
from threading import enumerate as enumerate_threads
from time import sleep

import grpc
import pytest
from host import CLOSED, CLOSING, DISPLAY, FAILED, OPEN, OPENING, R, ScriptedHost, dated, refuse, told

from wifidirect.v1.session_service_pb2 import (
    GetSessionResponse,
    OpenSessionRequest,
    OpenSessionResponse,
    WatchSessionsResponse,
)
from wifidirect_gateway import (
    Backoff,
    Bookmark,
    Disconnected,
    GatewayError,
    Reason,
    Session,
    SessionEvent,
    connect,
)

QUICK = Backoff(initial=0.001, max=0.001)


def test_a_session_is_read_from_its_first_event_to_its_last(host: ScriptedHost, address: str) -> None:
    host.opens = lambda _: told(OPENING, OPEN, CLOSING, CLOSED)
    with connect(address) as client, client.sessions.open(DISPLAY) as session:
        assert session.session_id == "a-session"
        assert next(session).session.state == OPENING
        assert session.wait_open().state == OPEN
        assert session.wait_open().state == OPEN
        assert session.close().state == CLOSED
        assert [event.session.state for event in session] == [CLOSING, CLOSED]
        with pytest.raises(GatewayError, match="CANCELLED: The session ended before"):
            session.wait_open()


def test_an_open_that_fails_raises_its_error_after_its_last_event(host: ScriptedHost, address: str) -> None:
    def opens(context: grpc.ServicerContext) -> Iterator[OpenSessionResponse]:
        yield from told(OPENING, FAILED)
        refuse(context, grpc.StatusCode.ABORTED, "OPEN_FAILED")

    host.opens = opens
    with connect(address) as client, client.sessions.open(DISPLAY) as session:
        with pytest.raises(GatewayError) as raised:
            session.wait_open()
        assert raised.value.reason is Reason.OPEN_FAILED
        assert session.session.state == FAILED


def test_an_open_that_is_refused_holds_nothing(host: ScriptedHost, address: str) -> None:
    host.opens = lambda context: refuse(context, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    with (
        connect(address) as client,
        pytest.raises(GatewayError) as raised,
        client.sessions.open("nonsense"),
    ):
        pytest.fail("it was refused")
    assert raised.value.reason is Reason.INVALID_FIELD


def test_a_host_that_says_nothing_is_at_fault(host: ScriptedHost, address: str) -> None:
    host.opens = lambda _: iter(())
    with connect(address) as client, pytest.raises(GatewayError, match="INTERNAL"), client.sessions.open(DISPLAY):
        pytest.fail("there is no session")


def test_the_end_of_the_block_ends_the_stream(host: ScriptedHost, address: str) -> None:
    def opens(context: grpc.ServicerContext) -> Iterator[OpenSessionResponse]:
        context.add_callback(host.gone.set)
        yield from told(OPENING)
        host.gone.wait()

    host.opens = opens
    with connect(address) as client:
        with client.sessions.open(DISPLAY) as session:
            pass
        assert host.gone.wait(10)
        assert next(session).session.state == OPENING
        with pytest.raises(GatewayError, match="CANCELLED"):
            next(session)


def test_a_request_says_what_was_asked_for_and_no_more(host: ScriptedHost, address: str) -> None:
    with connect(address) as client:
        with client.sessions.open(DISPLAY):
            pass
        with client.sessions.open(DISPLAY, request_id="mine", open_timeout=1.5, lease_ttl=0):
            pass
    bare, full = host.seen
    assert isinstance(bare, OpenSessionRequest)
    assert isinstance(full, OpenSessionRequest)
    assert not bare.HasField("open_timeout")
    assert not bare.HasField("lease_ttl")
    assert bare.heartbeat_interval.ToMilliseconds() == 10_000
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bare.request_id)
    assert full.request_id == "mine"
    assert (full.open_timeout.ToMilliseconds(), full.lease_ttl.ToMilliseconds()) == (1500, 0)


def test_unary_calls_have_a_deadline_but_where_they_wait(host: ScriptedHost, address: str) -> None:
    with connect(address) as client:
        assert client.sessions.get("a-session").cursor == "c1"
        client.sessions.get("a-session", timeout=100)
        client.sessions.get("a-session", timeout=math.inf)
        client.sessions.close("a-session", wait=True)
        client.sessions.close("a-session")
    left = [math.inf if each > 1e9 else round(each, -1) for each in host.seen if isinstance(each, float)]
    assert left == [10, 100, math.inf, math.inf, 10]


def test_pages_are_asked_for_as_they_are_needed(host: ScriptedHost, address: str) -> None:
    with connect(address) as client:
        ids: list[str] = []
        with pytest.raises(GatewayError, match="No such page"):
            ids.extend(session.session_id for session in client.sessions.list())
        assert host.seen == ["", "second", "third"]
        assert next(client.sessions.list()).session_id == "a"
        assert host.seen == ["", "second", "third", ""]


def test_a_watch_attaches_again_from_its_last_cursor(host: ScriptedHost, address: str) -> None:
    host.watches = [
        lambda _: iter([WatchSessionsResponse(cursor="c1")]),
        lambda context: refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "WATCHER_TOO_SLOW"),
        lambda _: iter([WatchSessionsResponse(cursor="c2")]),
    ]
    with connect(address) as client, client.sessions.watch(backoff=QUICK) as watch:
        assert next(watch) == Bookmark("c1")
        assert isinstance(next(watch), Disconnected)
        slow = next(watch)
        assert isinstance(slow, Disconnected)
        assert slow.error.reason is Reason.WATCHER_TOO_SLOW
        assert next(watch) == Bookmark("c2")
    assert host.seen == ["", "c1", "c1"]


def test_a_watch_ends_where_trying_again_can_not_help(host: ScriptedHost, address: str) -> None:
    host.watches = [lambda context: refuse(context, grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")]
    with connect(address) as client, pytest.raises(GatewayError) as raised:
        next(client.sessions.watch())
    assert raised.value.reason is Reason.PERMISSION_DENIED


def once_waiting(host: ScriptedHost, act: Callable[[], None]) -> None:
    def wait_and_act() -> None:
        assert host.waiting.wait(10)
        act()

    Thread(target=wait_and_act).start()


def test_a_watch_that_another_thread_closes_gives_no_more(host: ScriptedHost, address: str) -> None:
    with connect(address) as client:
        watch = client.sessions.watch()
        once_waiting(host, watch.close)
        assert list(watch) == []


def test_a_closed_client_ends_a_watch_and_every_call(host: ScriptedHost, address: str) -> None:
    client = connect(address)
    watch = client.sessions.watch()
    once_waiting(host, client.close)
    with pytest.raises(GatewayError, match="CANCELLED: The client was closed"):
        list(watch)
    with pytest.raises(GatewayError, match="CANCELLED: The client was closed"):
        client.sessions.get("a-session")


def test_a_closed_client_that_was_never_used_says_so(address: str) -> None:
    client = connect(address)
    client.close()
    for call in (client.host, client.health):
        with pytest.raises(GatewayError, match="CANCELLED: The client was closed"):
            call()


def test_a_closed_client_ends_a_call_that_waits(host: ScriptedHost, address: str) -> None:
    client = connect(address)
    once_waiting(host, client.close)
    with pytest.raises(GatewayError, match="CANCELLED"):
        client.sessions.get("slow-session")


def test_a_closed_client_ends_a_watch_that_pauses() -> None:
    client = connect("127.0.0.1:1")
    watch = client.sessions.watch(backoff=Backoff(initial=1000, max=1000, random=lambda: 1.0))
    assert isinstance(next(watch), Disconnected)
    Timer(0.01, client.close).start()
    with pytest.raises(GatewayError, match="CANCELLED: The client was closed"):
        next(watch)


def silently(host: ScriptedHost, *messages: R) -> Callable[[grpc.ServicerContext], Iterator[R]]:
    """Send these, and then nothing for as long as the client listens."""

    def stream(context: grpc.ServicerContext) -> Iterator[R]:
        yield from messages
        ended = Event()
        for end in (ended.set, host.gone.set):
            context.add_callback(end)
        ended.wait()

    return stream


def test_signs_of_life_are_asked_for_unless_told_otherwise(host: ScriptedHost, address: str) -> None:
    with connect(address) as client:
        for interval in (60, 0):
            with client.sessions.open(DISPLAY, heartbeat_interval=interval):
                pass
    minute, none = host.seen
    assert isinstance(minute, OpenSessionRequest)
    assert isinstance(none, OpenSessionRequest)
    assert minute.heartbeat_interval.seconds == 60
    assert not none.HasField("heartbeat_interval")


def test_signs_of_life_keep_a_session_and_are_not_handed_on(host: ScriptedHost, address: str) -> None:
    def opens(_: grpc.ServicerContext) -> Iterator[OpenSessionResponse]:
        for each in told(OPENING, OPEN):
            yield dated(OpenSessionResponse())
            yield dated(each)
            for _heartbeat in range(3):
                sleep(0.2)
                yield dated(OpenSessionResponse())

    host.opens = opens
    with connect(address) as client, client.sessions.open(DISPLAY, heartbeat_interval=0.15) as session:
        assert [event.session.state for event in session] == [OPENING, OPEN]


def test_a_host_that_falls_silent_ends_the_session_here(host: ScriptedHost, address: str) -> None:
    host.opens = silently(host, *map(dated, told(OPENING, OPEN)))
    with connect(address) as client, client.sessions.open(DISPLAY, heartbeat_interval=0.1) as session:
        session.wait_open()
        with pytest.raises(GatewayError, match=r"UNAVAILABLE: The host has been silent for 0\.3 s") as raised:
            next(session)
    assert raised.value.reason is None
    assert host.gone.wait(10)


def test_a_host_that_never_answers_an_open_is_silent_too(host: ScriptedHost, address: str) -> None:
    host.opens = silently(host)
    with (
        connect(address) as client,
        pytest.raises(GatewayError, match="UNAVAILABLE: The host has been silent"),
        client.sessions.open(DISPLAY, heartbeat_interval=0.1),
    ):
        pytest.fail("there is no session")


def test_a_host_that_knows_no_signs_of_life_may_be_silent(host: ScriptedHost, address: str) -> None:
    def opens(_: grpc.ServicerContext) -> Iterator[OpenSessionResponse]:
        yield from told(OPENING)
        sleep(0.6)
        yield from told(OPEN)

    host.opens = opens
    with connect(address) as client, client.sessions.open(DISPLAY, heartbeat_interval=0.1) as session:
        assert session.wait_open().state == OPEN


def test_a_reader_that_takes_its_time_is_no_silence(host: ScriptedHost, address: str) -> None:
    host.opens = lambda _: map(dated, told(OPENING, OPEN, CLOSING, CLOSED))
    with connect(address) as client, client.sessions.open(DISPLAY, heartbeat_interval=0.1) as session:
        seen = []
        for event in session:
            sleep(0.4)
            seen.append(event.session.state)
    assert seen == [OPENING, OPEN, CLOSING, CLOSED]


def test_a_watch_that_hears_nothing_attaches_again(host: ScriptedHost, address: str) -> None:
    host.watches = [
        silently(host, WatchSessionsResponse(cursor="c1")),
        silently(host),
        lambda _: iter([WatchSessionsResponse(cursor="c2")]),
    ]
    with connect(address) as client, client.sessions.watch(bookmark_interval=0.1, backoff=QUICK) as watch:
        assert next(watch) == Bookmark("c1")
        for _ in range(2):
            silent = next(watch)
            assert isinstance(silent, Disconnected)
            assert str(silent.error) == "UNAVAILABLE: The host has been silent for 0.3 s."
        assert next(watch) == Bookmark("c2")
    assert host.seen == ["", "c1", "c1"]


def test_nothing_watches_over_a_client_that_waits_for_nothing(host: ScriptedHost, address: str) -> None:
    before = set(enumerate_threads())

    def watchdogs() -> list[Thread]:
        return [each for each in set(enumerate_threads()) - before if each.name == "wifidirect-gateway-watchdog"]

    host.opens = silently(host, *map(dated, told(OPENING)))
    with connect(address) as client, client.sessions.open(DISPLAY) as session:
        (watchdog,) = watchdogs()
        Timer(0.1, session.detach).start()
        with pytest.raises(GatewayError, match="CANCELLED"):
            session.wait_open()
    watchdog.join(10)
    assert watchdogs() == []


def test_a_lease_is_reckoned_by_the_clock_of_the_host(host: ScriptedHost, address: str) -> None:
    with connect(address) as client:
        assert abs((client.host_now() - datetime.now(UTC)).total_seconds()) < 10
        for ahead in (7200, -7200):
            shows = dated(GetSessionResponse(), -ahead)
            shows.session.lease_expire_time.FromMilliseconds(shows.host_time.ToMilliseconds() + 60_000)
            host.shows = shows
            at = client.sessions.get("a-session")
            left = client.sessions.lease_left(at.session)
            assert left is not None
            assert 30 < left <= 60.001
            assert abs((client.host_now() - datetime.now(UTC)).total_seconds() - ahead) < 30
            at.session.lease_expire_time.FromMilliseconds(shows.host_time.ToMilliseconds() - 1)
            assert client.sessions.lease_left(at.session) == 0
        assert client.sessions.lease_left(Session()) is None


def test_every_message_of_a_stream_sets_the_clock(host: ScriptedHost, address: str) -> None:
    host.opens = lambda _: (dated(each, 86_400) for each in told(OPENING))
    with connect(address) as client, client.sessions.open(DISPLAY):
        assert (datetime.now(UTC) - client.host_now()).days == 1


def test_an_answer_without_what_it_promised_is_the_fault_of_the_host(host: ScriptedHost, address: str) -> None:
    host.shows = GetSessionResponse(cursor="c1")
    host.opens = lambda _: iter([OpenSessionResponse(event=SessionEvent(sequence=1))])
    with connect(address) as client:
        with pytest.raises(GatewayError, match="INTERNAL: The response of the host does not contain the session"):
            client.sessions.get("a-session")
        with (
            pytest.raises(GatewayError, match="INTERNAL: The response of the host does not contain the session"),
            client.sessions.open(""),
        ):
            pytest.fail("there is no session")
