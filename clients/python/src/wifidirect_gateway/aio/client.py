"""The asyncio client: one host, for programs that await."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from wifidirect.v1.host_service_pb2 import GetHostRequest, GetHostResponse
from wifidirect.v1.host_service_pb2_grpc import HostServiceStub
from wifidirect_gateway.options import CONNECT_TIMEOUT_DEFAULT, TIMEOUT_DEFAULT, ChannelOptions, Tls

from .connection import Connection, MetadataHook, TokenSource
from .devices import Devices
from .sessions import Sessions

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    from grpc import aio


class Client:
    """One host. It connects when it is first used, and again when it has to.

    It belongs to the event loop in which it is first used, and may be made before there is one. When that loop is
    closed, as at the end of `asyncio.run`, the next loop that uses it gets it, with a connection of its own.
    """

    sessions: Sessions
    devices: Devices

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.sessions = Sessions(connection)
        self.devices = Devices(connection)

    @property
    def channel(self) -> aio.Channel:
        """The channel of this event loop, for generated stubs; what they raise is gRPC's, not GatewayError."""
        return self._connection.channel

    async def host(self, *, timeout: float | None = None) -> GetHostResponse:
        """Tell which host this is, whether it can do its work, on what it runs, and its limits."""
        return await self._connection.unary(self._connection.stub(HostServiceStub).GetHost, GetHostRequest(), timeout)

    async def health(self, service: str = "", *, timeout: float | None = None) -> str:
        """Tell what load balancers and probes are told: `SERVING`, `NOT_SERVING`, ...

        Of the host, or of one of its services (`wifidirect.v1.SessionService`); NOT_FOUND for one that it doesn't know.
        """
        check = self.channel.unary_unary(
            "/grpc.health.v1.Health/Check", HealthCheckRequest.SerializeToString, HealthCheckResponse.FromString
        )
        response = await self._connection.unary(check, HealthCheckRequest(service=service), timeout)
        return HealthCheckResponse.ServingStatus.Name(response.status)

    def host_now(self) -> datetime:
        """Tell the time on the host, by its last message; before any, the time here. Times of sessions are by it."""
        return self._connection.clock.now()

    async def close(self) -> None:
        """End every call and iterator with CANCELLED, and the connection."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


def connect(
    address: str,
    *,
    tls: bool | Tls | None = None,
    token: TokenSource | None = None,
    timeout: float = TIMEOUT_DEFAULT,
    connect_timeout: float = CONNECT_TIMEOUT_DEFAULT,
    metadata: MetadataHook | None = None,
    options: ChannelOptions = (),
) -> Client:
    """Make a client of the host at `host:port`, or `unix:/path`. It does not wait for the connection.

    It may be called where no event loop runs yet, at the level of a module say.

    Args:
        address: of the host.
        tls: True or Tls: TLS. False: clear text. Default: clear text to this machine (`localhost`, `127.x.x.x`,
            `[::1]`, `unix:`), TLS to any other.
        token: bearer token, or what gives the current one, asked (and awaited, where it is to be) at each call. Refused
            in clear text to another machine.
        timeout: seconds that a unary call may take that is given none; math.inf: as long as it takes.
        connect_timeout: seconds that an attempt to connect may take, with TCP, TLS and the first frame of HTTP/2.
        metadata: asked (and awaited, where it is to be) at each call, in the task of the caller, for more headers to
            send, such as `traceparent`.
        options: handed to gRPC as they are; they win over what this package sets.

    Raises:
        GatewayError: INVALID_ARGUMENT, where the options can't be right.

    """
    return Client(
        Connection(
            address,
            tls=tls,
            token=token,
            timeout=timeout,
            connect_timeout=connect_timeout,
            metadata=metadata,
            options=options,
        )
    )
