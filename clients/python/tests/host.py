"""A host that tests script: a gRPC server of this process, whose answers a test gives."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, NoReturn, TypeVar

import grpc
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from wifidirect.v1.session_service_pb2 import (
    CloseSessionRequest,
    CloseSessionResponse,
    GetSessionRequest,
    GetSessionResponse,
    ListSessionsRequest,
    ListSessionsResponse,
    OpenSessionRequest,
    OpenSessionResponse,
    WatchSessionsRequest,
    WatchSessionsResponse,
)
from wifidirect.v1.session_service_pb2_grpc import SessionServiceServicer, add_SessionServiceServicer_to_server
from wifidirect_gateway import Session, SessionEvent, SessionState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

R = TypeVar("R", OpenSessionResponse, WatchSessionsResponse, GetSessionResponse)

DISPLAY = "02:11:22:33:44:01"

OPENING = SessionState.SESSION_STATE_OPENING
OPEN = SessionState.SESSION_STATE_OPEN
CLOSING = SessionState.SESSION_STATE_CLOSING
CLOSED = SessionState.SESSION_STATE_CLOSED
FAILED = SessionState.SESSION_STATE_FAILED

PAGES = {
    "": ListSessionsResponse(sessions=[Session(session_id="a"), Session(session_id="b")], next_page_token="second"),
    "second": ListSessionsResponse(sessions=[Session(session_id="c")], next_page_token="third"),
}


def told(*states: SessionState.ValueType) -> Iterator[OpenSessionResponse]:
    for state in states:
        session = Session(session_id="a-session", state=state)
        yield OpenSessionResponse(event=SessionEvent(session=session))


def dated(response: R, ago: float = 0.0) -> R:
    """Say when it was sent."""
    response.host_time.FromDatetime(datetime.now(UTC) - timedelta(seconds=ago))
    return response


def refuse(context: grpc.ServicerContext, code: grpc.StatusCode, reason: str) -> NoReturn:
    detail = Any()
    detail.Pack(ErrorInfo(domain="wifidirect.v1", reason=reason))
    context.abort_with_status(rpc_status.to_status(Status(code=code.value[0], message="No.", details=[detail])))


class ScriptedHost(SessionServiceServicer):
    """Tells in `seen` what it was asked."""

    def __init__(self) -> None:
        self.seen: list[object] = []
        self.headers: list[dict[str, str | bytes]] = []
        # What it answers to GetSession, where that is not what was asked for.
        self.shows: GetSessionResponse | None = None
        self.waiting = Event()
        self.gone = Event()
        self.opens: Callable[[grpc.ServicerContext], Iterator[OpenSessionResponse]] = lambda _: told(OPENING)
        self.watches: list[Callable[[grpc.ServicerContext], Iterator[WatchSessionsResponse]]] = []

    def OpenSession(self, request: OpenSessionRequest, context: grpc.ServicerContext) -> Iterator[OpenSessionResponse]:
        self.seen.append(request)
        self.headers.append(dict(context.invocation_metadata()))
        return self.opens(context)

    def CloseSession(self, request: CloseSessionRequest, context: grpc.ServicerContext) -> CloseSessionResponse:
        self.seen.append(context.time_remaining())
        return CloseSessionResponse(session=Session(session_id=request.session_id, state=CLOSED))

    def GetSession(self, request: GetSessionRequest, context: grpc.ServicerContext) -> GetSessionResponse:
        headers = dict(context.invocation_metadata())
        self.seen.append(headers.get("authorization"))
        self.headers.append(headers)
        self.seen.append(context.time_remaining())
        if request.session_id == "slow-session":
            self.silent(context)
        return self.shows or GetSessionResponse(session=Session(session_id=request.session_id), cursor="c1")

    def ListSessions(self, request: ListSessionsRequest, context: grpc.ServicerContext) -> ListSessionsResponse:
        self.seen.append(request.page_token)
        page = PAGES.get(request.page_token)
        if page is None:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "No such page.")
        return page

    def WatchSessions(
        self, request: WatchSessionsRequest, context: grpc.ServicerContext
    ) -> Iterator[WatchSessionsResponse]:
        self.seen.append(request.cursor)
        self.headers.append(dict(context.invocation_metadata()))
        if self.watches:
            return self.watches.pop(0)(context)
        self.silent(context)
        return iter(())

    def silent(self, context: grpc.ServicerContext) -> None:
        context.add_callback(self.gone.set)
        self.waiting.set()
        self.gone.wait()


@contextmanager
def serving(host: ScriptedHost) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor())
    add_SessionServiceServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        host.gone.set()
        server.stop(None)
