"""The client for asyncio."""

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
    """A client of one host. It connects at the first call, and reconnects when needed.

    It belongs to the event loop that first uses it, and can be created before there is a loop. When
    that loop is closed, for example at the end of `asyncio.run`, another loop can use the client,
    with a new connection.
    """

    sessions: Sessions
    devices: Devices

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.sessions = Sessions(connection)
        self.devices = Devices(connection)

    @property
    def channel(self) -> aio.Channel:
        """The channel of this event loop, for generated stubs.

        They raise the errors of gRPC, not GatewayError.
        """
        return self._connection.channel

    async def host(self, *, timeout: float | None = None) -> GetHostResponse:
        """Return the identity, state, driver and limits of the host."""
        return await self._connection.unary(self._connection.stub(HostServiceStub).GetHost, GetHostRequest(), timeout)

    async def health(self, service: str = "", *, timeout: float | None = None) -> str:
        """Return the health of the host: `SERVING`, `NOT_SERVING`, ...

        With `service`, return the health of one of its services, such as
        `wifidirect.v1.SessionService`. Load balancers and probes use the same call. Raises
        NOT_FOUND if the host does not have this service.
        """
        check = self.channel.unary_unary(
            "/grpc.health.v1.Health/Check", HealthCheckRequest.SerializeToString, HealthCheckResponse.FromString
        )
        response = await self._connection.unary(check, HealthCheckRequest(service=service), timeout)
        return HealthCheckResponse.ServingStatus.Name(response.status)

    def host_now(self) -> datetime:
        """Return the current time on the host's clock, to which the times of sessions refer.

        Before the first message of the host, it returns the time of this machine.
        """
        return self._connection.clock.now()

    async def close(self) -> None:
        """Close the connection. All pending calls and iterators raise CANCELLED."""
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
    """Create a client of the host at `host:port` or `unix:/path`.

    It does not wait for the connection.

    No event loop has to run yet, so it can be called at the top level of a module.

    Args:
        address: address of the host.
        tls: True or Tls: TLS. False: clear text. Default: clear text to this machine (`localhost`,
            `127.x.x.x`, `[::1]`, `unix:`), and TLS to every other machine.
        token: bearer token, or a function (or coroutine function) that returns the current one and
            is called for each call. Must not be sent in clear text to another machine.
        timeout: default timeout of unary calls, in seconds. math.inf means none.
        connect_timeout: timeout of one attempt to connect, in seconds: TCP, TLS and the first frame
            of HTTP/2 together.
        metadata: function (or coroutine function) that returns metadata to send, such as
            `traceparent`. It is called for each call, in the task of the caller.
        options: options for the gRPC channel. They override the options that this package sets.

    Raises:
        GatewayError: INVALID_ARGUMENT if an option is invalid.

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
