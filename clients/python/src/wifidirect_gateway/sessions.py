"""Opens, closes and watches sessions. session_service.proto documents each RPC."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc

from wifidirect.v1.session_pb2 import Session, SessionEvent, SessionKind, SessionState
from wifidirect.v1.session_service_pb2 import GetSessionRequest, WatchSessionsRequest
from wifidirect.v1.session_service_pb2_grpc import SessionServiceStub

from . import requests
from .errors import GatewayError, incomplete
from .holding import HEARTBEAT_DEFAULT, event_of, patience
from .watch import Watch
from .watching import BACKOFF_DEFAULT, BOOKMARK_DEFAULT, Backoff, Watching

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from wifidirect.v1.session_service_pb2 import OpenSessionResponse, WatchSessionsResponse

    from .connection import Connection, Stream
    from .requests import SessionAt


class HeldSession:
    """A session and the stream that holds it. A session without a lease ends when its stream ends.

    Iterate over it to get its events as they come. The iteration ends after CLOSED, or after a
    CANCELLED that a client requested. Otherwise it raises a GatewayError after the last event. A
    new iteration continues where the last one stopped.
    """

    session: Session
    """The session as of the last event that was read."""

    def __init__(self, sessions: Sessions, stream: Stream[OpenSessionResponse]) -> None:
        self._sessions = sessions
        self._stream = stream
        # Read at once, because a request that the host rejects has no session.
        first = self._next_event()
        if first is None:
            raise incomplete("an event")
        self._next: SessionEvent | None = first
        self.session = first.session

    @property
    def session_id(self) -> str:
        return self.session.session_id

    def __iter__(self) -> Iterator[SessionEvent]:
        return self

    def __next__(self) -> SessionEvent:
        event = self._next or self._next_event()
        if event is None:
            raise StopIteration
        self._next = None
        self.session = event.session
        return event

    def wait_open(self) -> Session:
        """Skip events until the session is OPEN, and return it.

        Raise GatewayError if the stream ends before.
        """
        while self.session.state != SessionState.SESSION_STATE_OPEN:
            if next(self, None) is None:
                raise GatewayError(grpc.StatusCode.CANCELLED, "The session ended before it was open.")
        return self.session

    def close(self, *, timeout: float = math.inf) -> Session:
        """Close the session, or cancel it while it is opening. Return it when it has ended.

        The last events can still be read.
        """
        return self._sessions.close(self.session_id, wait=True, timeout=timeout).session

    def detach(self) -> None:
        """End the stream, as the end of the `with` block does. Further calls have no effect."""
        self._stream.cancel()

    def _next_event(self) -> SessionEvent | None:
        """Return the next event.

        Skip heartbeats. None means that the stream has ended without an error.
        """
        for response in self._stream:
            # A host that does not send its time is too old to send heartbeats, so its silence means
            # nothing.
            if not self._stream.is_dated:
                self._stream.patience = None
            event = event_of(response)
            if event is not None:
                return event
        return None


class Sessions:
    """The sessions of one host.

    All times are in seconds. `timeout` defaults to that of the client.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = SessionServiceStub(connection.channel)

    @contextmanager
    def open(
        self,
        device_address: str,
        *,
        session_id: str = "",
        kind: SessionKind.ValueType = SessionKind.SESSION_KIND_UNSPECIFIED,
        open_timeout: float | None = None,
        lease_ttl: float | None = None,
        heartbeat_interval: float = HEARTBEAT_DEFAULT,
        request_id: str | None = None,
    ) -> Generator[HeldSession]:
        """Open a session, and detach from it at the end of the block.

        A session without a lease then ends.

        The block starts when the host has accepted the request. To wait until the session is open,
        use HeldSession.wait_open.

        Args:
            device_address: P2P device address of a paired device, `aa:bb:cc:dd:ee:ff`.
            session_id: id of the session: 4 to 63 of `[a-z0-9-]`, starting with a letter or digit.
                Default: the host makes a UUID.
            kind: SESSION_KIND_WIFI_DIRECT by default.
            open_timeout: how long the open may take. Default: set by the host, 60 s.
            lease_ttl: gives the session a lease of 1 s to 24 h, so that it survives the end of its
                streams for this time. Default: no lease; the session ends with its last stream.
            heartbeat_interval: how often the host sends a heartbeat if it has nothing else to send,
                1 s to 5 min. Heartbeats keep proxies from closing an idle stream. After three
                intervals of silence the stream raises UNAVAILABLE. 0 means no heartbeats.
            request_id: UUID by which the host recognizes a repeated request: opening with it again
                attaches to the same session. Default: a new one for each call.

        """
        request = requests.open_session(
            device_address,
            session_id=session_id,
            kind=kind,
            open_timeout=open_timeout,
            lease_ttl=lease_ttl,
            heartbeat_interval=heartbeat_interval,
            request_id=request_id,
        )
        silence = patience("heartbeat_interval", heartbeat_interval)
        stream = self._connection.stream(self._stub.OpenSession, request, silence)
        try:
            yield HeldSession(self, stream)
        finally:
            stream.cancel()

    def close(self, session_id: str, *, wait: bool = False, timeout: float | None = None) -> SessionAt:
        """Close an open session, or cancel one that is opening.

        With `wait`, return when it has ended. There is then no default timeout.
        """
        if wait and timeout is None:
            timeout = math.inf
        request = requests.close_session(session_id, wait=wait)
        return requests.session_at(self._connection.unary(self._stub.CloseSession, request, timeout))

    def cancel(self, session_id: str, *, timeout: float | None = None) -> SessionAt:
        """Cancel a pending open. Return before the session ends.

        The last event is CANCELLED, or CLOSED if the open succeeded first.
        """
        request = requests.cancel_open_session(session_id)
        return requests.session_at(self._connection.unary(self._stub.CancelOpenSession, request, timeout))

    def renew(self, session_id: str, lease_ttl: float | None = None, *, timeout: float | None = None) -> SessionAt:
        """Renew a lease.

        It then expires `lease_ttl` from now. Default: the length of the current lease.
        """
        request = requests.renew_session(session_id, lease_ttl)
        return requests.session_at(self._connection.unary(self._stub.RenewSession, request, timeout))

    def get(self, session_id: str, *, timeout: float | None = None) -> SessionAt:
        """Return one session. The host keeps sessions for a while after their end."""
        request = GetSessionRequest(session_id=session_id)
        return requests.session_at(self._connection.unary(self._stub.GetSession, request, timeout))

    def lease_left(self, session: Session) -> float | None:
        """Return the seconds left of a lease, at least 0, or None if there is no lease.

        It uses the host's clock, because the clock of this machine may differ.
        """
        return self._connection.clock.lease_left(session)

    def list(
        self,
        *,
        states: Iterable[SessionState.ValueType] = (),
        device_address: str = "",
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Iterator[Session]:
        """Iterate over the sessions, oldest first.

        Requests them page by page; `timeout` applies to each page.

        Args:
            states: only sessions in one of these states. Default: all states.
            device_address: only sessions with this device. Default: all devices.
            page_size: number of sessions per request, 1 to 1000. Default: 50.
            timeout: timeout of each request.

        """
        states = tuple(states)
        page_token = None
        while page_token != "":
            request = requests.list_sessions(states, device_address, page_size, page_token or "")
            page = self._connection.unary(self._stub.ListSessions, request, timeout)
            yield from page.sessions
            page_token = page.next_page_token

    def watch(
        self,
        *,
        cursor: str = "",
        session_ids: Iterable[str] = (),
        bookmark_interval: float | None = None,
        backoff: Backoff = BACKOFF_DEFAULT,
    ) -> Watch[Session, SessionEvent]:
        """Watch sessions.

        Yield a Snapshot, unless there is a cursor, and then every Change, in order and once.

        The watch reconnects when the stream breaks, or is silent for three bookmark intervals. It
        raises an error only if a retry can't help (UNAUTHENTICATED, PERMISSION_DENIED,
        INVALID_ARGUMENT, UNIMPLEMENTED), and CANCELLED when the client is closed.

        Args:
            cursor: where to resume. Default: start now, with a snapshot.
            session_ids: only these sessions. Default: all sessions that the caller may see.
            bookmark_interval: how often the host sends a Bookmark if there are no events, 1 s to 5
                min. Default: 10 s.
            backoff: the pauses between attempts.

        """
        ids, interval = tuple(session_ids), requests.duration(bookmark_interval)
        silence = patience("bookmark_interval", bookmark_interval or BOOKMARK_DEFAULT)

        def attach(cursor: str) -> Stream[WatchSessionsResponse]:
            request = WatchSessionsRequest(cursor=cursor, session_ids=ids, bookmark_interval=interval)
            return self._connection.stream(self._stub.WatchSessions, request, silence)

        return Watch(self._connection, Watching(cursor, backoff), attach)
