"""A watch goes on from where it was, whatever ends its stream."""

import math

import grpc
import pytest

from wifidirect.v1.session_service_pb2 import WatchSessionsResponse
from wifidirect_gateway import (
    Backoff,
    Bookmark,
    Change,
    GatewayError,
    Reason,
    Session,
    SessionEvent,
    SessionWatchItem,
    Snapshot,
)
from wifidirect_gateway.watching import Watching

BROKEN = GatewayError(grpc.StatusCode.UNAVAILABLE, "The connection broke.")
EXPIRED = GatewayError(grpc.StatusCode.OUT_OF_RANGE, "Trimmed.", reason=Reason.CURSOR_EXPIRED)
TOO_SLOW = GatewayError(grpc.StatusCode.RESOURCE_EXHAUSTED, "Behind.", reason=Reason.WATCHER_TOO_SLOW)
STOPPING = GatewayError(grpc.StatusCode.UNAVAILABLE, "Stopping.", reason=Reason.HOST_STOPPING, retry_delay=5.0)

# The pauses are 0.125, 0.25, 0.5, ... s.
HALF = Backoff(random=lambda: 0.5)

Sessions = Watching[Session, SessionEvent]


def sessions(*ids: str) -> list[Session]:
    return [Session(session_id=each) for each in ids]


def snapshot_at(cursor: str, *ids: str) -> WatchSessionsResponse:
    return WatchSessionsResponse(cursor=cursor, snapshot=sessions(*ids), snapshot_complete=True)


def events_to(cursor: str, *sequences: int) -> WatchSessionsResponse:
    return WatchSessionsResponse(cursor=cursor, events=[SessionEvent(sequence=each) for each in sequences])


def sequences(items: list[SessionWatchItem]) -> list[int]:
    return [item.event.sequence for item in items if isinstance(item, Change)]


def test_a_snapshot_that_comes_in_parts_is_told_as_one() -> None:
    watching = Sessions("", HALF)
    assert watching.take(WatchSessionsResponse(snapshot=sessions("a", "b"))) == []
    assert watching.take(snapshot_at("c1", "c")) == [Snapshot(sessions("a", "b", "c"), "c1")]
    assert watching.take(events_to("c2", 1)) == [Change(SessionEvent(sequence=1), "c2")]


def test_a_host_without_sessions_is_told_by_an_empty_snapshot() -> None:
    assert Sessions("", HALF).take(snapshot_at("c1")) == [Snapshot([], "c1")]


def test_a_message_with_nothing_but_a_cursor_is_a_bookmark_and_is_resumed_from() -> None:
    watching = Sessions("c1", HALF)
    assert watching.take(WatchSessionsResponse(cursor="c7")) == [Bookmark("c7")]
    assert watching.cursor == "c7"


def test_the_cursor_of_an_event_never_skips_those_that_came_with_it() -> None:
    watching = Sessions("c0", HALF)
    items = [*watching.take(events_to("c1", 1)), *watching.take(events_to("c4", 2, 3, 4))]
    cursors = [item.cursor for item in items if isinstance(item, Change)]
    assert cursors == ["c1", "c1", "c1", "c4"]
    assert sequences(items) == [1, 2, 3, 4]


@pytest.mark.parametrize("error", [BROKEN, TOO_SLOW, STOPPING, None])
def test_it_goes_on_from_the_last_cursor(error: GatewayError | None) -> None:
    watching = Sessions("c0", HALF)
    watching.take(events_to("c2", 1, 2))
    told = watching.disconnected(error).error
    assert told is error or told.code is grpc.StatusCode.UNAVAILABLE
    assert watching.cursor == "c2"


def test_an_expired_cursor_asks_for_a_new_snapshot() -> None:
    watching = Sessions("c9", HALF)
    assert watching.disconnected(EXPIRED).error is EXPIRED
    assert watching.cursor == ""
    assert watching.take(snapshot_at("d4", "z")) == [Snapshot(sessions("z"), "d4")]


def test_a_snapshot_that_broke_off_is_thrown_away() -> None:
    watching = Sessions("", HALF)
    watching.take(WatchSessionsResponse(snapshot=sessions("a", "b")))
    watching.disconnected(BROKEN)
    assert watching.cursor == ""
    assert watching.take(snapshot_at("c1", "a")) == [Snapshot(sessions("a"), "c1")]


def pauses(watching: Sessions, *errors: GatewayError) -> list[float]:
    return [watching.disconnected(error).retry_in for error in errors]


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_pauses_double_up_to_their_bound() -> None:
    assert pauses(Sessions("c0", HALF), *[BROKEN] * 9) == [0.125, 0.25, 0.5, 1, 2, 4, 8, 15, 15]


def test_pauses_start_over_only_once_a_stream_has_stood() -> None:
    time = Time()
    watching = Sessions("c0", HALF, time)
    assert pauses(watching, BROKEN, BROKEN) == [0.125, 0.25]
    watching.take(events_to("c1", 1))
    time.now += 9.9
    assert pauses(watching, BROKEN) == [0.5]
    time.now += 60
    assert pauses(watching, BROKEN) == [1]
    watching.take(events_to("c2", 2))
    time.now += 5
    watching.take(events_to("c3", 3))
    time.now += 5
    assert pauses(watching, BROKEN, BROKEN) == [0.125, 0.25]


def test_pauses_start_over_when_a_host_that_was_away_answers() -> None:
    refused = GatewayError(grpc.StatusCode.RESOURCE_EXHAUSTED, "Slower.", reason=Reason.QUOTA_EXCEEDED)
    errors = [BROKEN, BROKEN, BROKEN, refused, refused, refused, BROKEN, EXPIRED]
    assert pauses(Sessions("c0", HALF), *errors) == [0.125, 0.25, 0.5, 0.125, 0.25, 0.5, 1, 0.125]


def test_a_cursor_that_expires_again_and_again_is_not_asked_for_at_once() -> None:
    refused = GatewayError(grpc.StatusCode.INTERNAL, "Ill.", reason=Reason.INTERNAL)
    errors = [refused, refused, EXPIRED, EXPIRED, EXPIRED]
    assert pauses(Sessions("c0", HALF), *errors) == [0.125, 0.25, 0.125, 0.25, 0.5]


def test_a_host_that_is_away_for_days_is_still_waited_for() -> None:
    watching = Sessions("c0", HALF)
    assert {watching.disconnected(BROKEN).retry_in for _ in range(10_000)} >= {15}


@pytest.mark.parametrize("drawn", [0.0, 0.25, 0.999])
def test_a_pause_is_drawn_at_random_from_nothing_to_its_bound(drawn: float) -> None:
    backoff = Backoff(initial=1.0, random=lambda: drawn)
    assert Sessions("c0", backoff).disconnected(BROKEN).retry_in == drawn


def test_a_pause_that_the_host_asks_for_is_kept() -> None:
    assert Sessions("c0", HALF).disconnected(STOPPING).retry_in == 5.125


def test_a_pause_that_the_host_asks_for_is_kept_for_five_minutes_at_most() -> None:
    absurd = GatewayError(grpc.StatusCode.UNAVAILABLE, "Later.", retry_delay=3e11)
    assert Sessions("c0", HALF).disconnected(absurd).retry_in == 300.125


@pytest.mark.parametrize("bounds", [{"initial": -1.0}, {"max": -0.1}, {"max": math.nan}])
def test_a_backoff_that_can_not_be_is_refused(bounds: dict[str, float]) -> None:
    with pytest.raises(GatewayError, match="INVALID_ARGUMENT: backoff"):
        Backoff(**bounds)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "PERMISSION_DENIED", "INVALID_ARGUMENT", "UNIMPLEMENTED"])
def test_it_gives_up_where_trying_again_can_not_help(code: str) -> None:
    fatal = GatewayError(grpc.StatusCode[code], "No.")
    with pytest.raises(GatewayError) as raised:
        Sessions("c0", HALF).disconnected(fatal)
    assert raised.value is fatal
