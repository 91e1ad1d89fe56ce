"""SessionService: opens, closes and follows sessions. What each RPC promises is in session_service.proto."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import grpc

from wifidirect.v1.session_pb2 import Session, SessionEvent, SessionKind, SessionState
from wifidirect.v1.session_service_pb2 import GetSessionRequest, WatchSessionsRequest
from wifidirect.v1.session_service_pb2_grpc import SessionServiceStub
from wifidirect_gateway import requests
from wifidirect_gateway.errors import GatewayError, incomplete
from wifidirect_gateway.holding import HEARTBEAT_DEFAULT, event_of, patience
from wifidirect_gateway.watching import BACKOFF_DEFAULT, BOOKMARK_DEFAULT, Backoff, SessionWatchItem, Watching

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterable

    from wifidirect.v1.session_service_pb2 import OpenSessionResponse, WatchSessionsResponse
    from wifidirect.v1.session_service_pb2_grpc import SessionServiceAsyncStub
    from wifidirect_gateway.requests import SessionAt

    from .connection import Connection, Stream


class HeldSession:
    """A session, and the stream that holds it: without a lease, it ends when the stream does.

    Iterating gives its events as they come. It ends after CLOSED, and after a CANCELLED that was asked for; else
    with a GatewayError, after the last event. An iteration that was broken off goes on with the next.
    """

    session: Session
    """As of the last event that was read."""

    def __init__(self, sessions: Sessions, stream: Stream[OpenSessionResponse], first: SessionEvent) -> None:
        self._sessions = sessions
        self._stream = stream
        # Read ahead, and not given out yet.
        self._next: SessionEvent | None = first
        self.session = first.session

    @property
    def session_id(self) -> str:
        return self.session.session_id

    def __aiter__(self) -> AsyncIterator[SessionEvent]:
        return self

    async def __anext__(self) -> SessionEvent:
        event = self._next or await _next_event(self._stream)
        if event is None:
            raise StopAsyncIteration
        self._next = None
        self.session = event.session
        return event

    async def wait_open(self) -> Session:
        """Pass over events until the session is OPEN. Raises what the stream ends with, if that comes before."""
        while self.session.state != SessionState.SESSION_STATE_OPEN:
            if await anext(self, None) is None:
                raise GatewayError(grpc.StatusCode.CANCELLED, "The session ended before it was open.")
        return self.session

    async def close(self, *, timeout: float = math.inf) -> Session:
        """Close the session (cancel it, while it is opening), and answer with it when it has ended.

        The events of the end can still be read.
        """
        return (await self._sessions.close(self.session_id, wait=True, timeout=timeout)).session

    def detach(self) -> None:
        """Let go of the stream, as the end of the block does. Harmless to repeat."""
        self._stream.cancel()


async def _next_event(stream: Stream[OpenSessionResponse]) -> SessionEvent | None:
    """Pass over signs of life; None: the stream has ended well."""
    async for response in stream:
        # A host that does not date its messages sends no signs of life either: its silence means nothing.
        if not stream.is_dated:
            stream.patience = None
        event = event_of(response)
        if event is not None:
            return event
    return None


class Sessions:
    """The sessions of one host. Times are seconds; `timeout` is of the call, by default that of the client."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def _stub(self) -> SessionServiceAsyncStub:
        return self._connection.stub(SessionServiceStub)

    @asynccontextmanager
    async def open(
        self,
        device_address: str,
        *,
        session_id: str = "",
        kind: SessionKind.ValueType = SessionKind.SESSION_KIND_UNSPECIFIED,
        open_timeout: float | None = None,
        lease_ttl: float | None = None,
        heartbeat_interval: float = HEARTBEAT_DEFAULT,
        request_id: str | None = None,
    ) -> AsyncGenerator[HeldSession]:
        """Open a session, and detach from it at the end of the block, which ends a session without a lease.

        The block begins when the host has accepted, not when the session is open: see HeldSession.wait_open.

        Args:
            device_address: P2P device address of a paired device, `aa:bb:cc:dd:ee:ff`.
            session_id: name of the session, 4 to 63 of `[a-z0-9-]`, the first a letter or digit.
                Default: the host makes a UUID.
            kind: SESSION_KIND_WIFI_DIRECT by default.
            open_timeout: how long the open may take. Default: the host's, 60 s.
            lease_ttl: lets the session outlive its streams by this long, 1 s to 24 h. Default: it ends with them.
            heartbeat_interval: how often the host gives a sign of life when nothing happens, 1 s to 5 min; proxies then
                don't take the stream for dead, and after three intervals of silence it ends with UNAVAILABLE. 0: never.
            request_id: UUID by which the host knows this request again: opening with it again attaches to the same
                session. Default: a new one at each call.

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
        stream = await self._connection.stream(self._stub.OpenSession, request, silence)
        try:
            # A request that the host refuses has no session.
            first = await _next_event(stream)
            if first is None:
                raise incomplete("an event")
            yield HeldSession(self, stream, first)
        finally:
            stream.cancel()

    async def close(self, session_id: str, *, wait: bool = False, timeout: float | None = None) -> SessionAt:
        """Close an open session; cancel one that is opening.

        With `wait`, answer when it has ended, by default without a deadline.
        """
        if wait and timeout is None:
            timeout = math.inf
        request = requests.close_session(session_id, wait=wait)
        response = await self._connection.unary(self._stub.CloseSession, request, timeout)
        return requests.shown(response)

    async def cancel(self, session_id: str, *, timeout: float | None = None) -> SessionAt:
        """Stop a pending open. Its end, CANCELLED or, if the open wins the race, CLOSED, is an event."""
        request = requests.cancel_open_session(session_id)
        response = await self._connection.unary(self._stub.CancelOpenSession, request, timeout)
        return requests.shown(response)

    async def renew(
        self, session_id: str, lease_ttl: float | None = None, *, timeout: float | None = None
    ) -> SessionAt:
        """Extend a lease: it then lapses `lease_ttl` from now. Default: the time that the session has."""
        request = requests.renew_session(session_id, lease_ttl)
        response = await self._connection.unary(self._stub.RenewSession, request, timeout)
        return requests.shown(response)

    async def get(self, session_id: str, *, timeout: float | None = None) -> SessionAt:
        """Show one session, also for a while after its end."""
        request = GetSessionRequest(session_id=session_id)
        response = await self._connection.unary(self._stub.GetSession, request, timeout)
        return requests.shown(response)

    def lease_left(self, session: Session) -> float | None:
        """Tell how many seconds the lease of a session has left, at least 0; None where it has no lease.

        By the clock of the host, as its last message told it, whatever the clock here shows.
        """
        return self._connection.clock.lease_left(session)

    async def list(
        self,
        *,
        states: Iterable[SessionState.ValueType] = (),
        device_address: str = "",
        page_size: int = 0,
        timeout: float | None = None,
    ) -> AsyncIterator[Session]:
        """Go through the sessions, oldest first, and ask for them page by page; `timeout` is of each page.

        Args:
            states: only sessions in one of these. Default: in any.
            device_address: only sessions to this device. Default: to any.
            page_size: how many to ask for at once, 1 to 1000. Default: 50.
            timeout: as everywhere.

        """
        states = tuple(states)
        page_token = None
        while page_token != "":
            request = requests.list_sessions(states, device_address, page_size, page_token or "")
            page = await self._connection.unary(self._stub.ListSessions, request, timeout)
            for session in page.sessions:
                yield session
            page_token = page.next_page_token

    def watch(
        self,
        *,
        cursor: str = "",
        session_ids: Iterable[str] = (),
        bookmark_interval: float | None = None,
        backoff: Backoff = BACKOFF_DEFAULT,
    ) -> AsyncGenerator[SessionWatchItem, None]:
        """Follow sessions: a Snapshot, unless there is a cursor, then each Change, in order, none twice.

        It goes on whatever happens to the connection: it attaches again where the stream breaks, or
        brings nothing for three bookmark intervals. It raises what trying again can't heal: UNAUTHENTICATED,
        PERMISSION_DENIED, INVALID_ARGUMENT, UNIMPLEMENTED; and CANCELLED when the client is closed. Who breaks it off
        closes it: `async with contextlib.aclosing(...)`.

        Args:
            cursor: resume after it. Default: from now, after a snapshot.
            session_ids: only these. Default: all that the caller may see.
            bookmark_interval: how long a silence lasts before a Bookmark comes, 1 s to 5 min. Default: 10 s.
            backoff: the pauses between attempts.

        """
        ids, interval = tuple(session_ids), requests.duration(bookmark_interval)
        silence = patience("bookmark_interval", bookmark_interval or BOOKMARK_DEFAULT)

        async def attach(cursor: str) -> Stream[WatchSessionsResponse]:
            request = WatchSessionsRequest(cursor=cursor, session_ids=ids, bookmark_interval=interval)
            return await self._connection.stream(self._stub.WatchSessions, request, silence)

        return self._connection.watch(Watching[Session, SessionEvent](cursor, backoff), attach)
