"""The blocking client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from wifidirect.v1.host_service_pb2 import GetHostRequest, GetHostResponse
from wifidirect.v1.host_service_pb2_grpc import HostServiceStub

from .connection import Connection, MetadataHook, TokenSource
from .devices import Devices
from .options import CONNECT_TIMEOUT_DEFAULT, TIMEOUT_DEFAULT, ChannelOptions, Tls
from .sessions import Sessions

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    import grpc


class Client:
    """A client of one host.

    It connects at the first call, and reconnects when needed. It is thread-safe.
    """

    sessions: Sessions
    devices: Devices

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.sessions = Sessions(connection)
        self.devices = Devices(connection)
        # Created here, because gRPC ends the process if a stub is created on a closed channel.
        self._stub = HostServiceStub(connection.channel)

    @property
    def channel(self) -> grpc.Channel:
        """The channel, for generated stubs. They raise the errors of gRPC, not GatewayError."""
        return self._connection.channel

    def host(self, *, timeout: float | None = None) -> GetHostResponse:
        """Return the identity, state, driver and limits of the host."""
        return self._connection.unary(self._stub.GetHost, GetHostRequest(), timeout)

    def health(self, service: str = "", *, timeout: float | None = None) -> str:
        """Return the health of the host: `SERVING`, `NOT_SERVING`, ...

        With `service`, return the health of one of its services, such as
        `wifidirect.v1.SessionService`. Load balancers and probes use the same call. Raises
        NOT_FOUND if the host does not have this service.
        """
        check = self.channel.unary_unary(
            "/grpc.health.v1.Health/Check", HealthCheckRequest.SerializeToString, HealthCheckResponse.FromString
        )
        response = self._connection.unary(check, HealthCheckRequest(service=service), timeout)
        return HealthCheckResponse.ServingStatus.Name(response.status)

    def host_now(self) -> datetime:
        """Return the current time on the host's clock, to which the times of sessions refer.

        Before the first message of the host, it returns the time of this machine.
        """
        return self._connection.clock.now()

    def close(self) -> None:
        """Close the connection. All pending calls and iterators raise CANCELLED."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


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

    Args:
        address: address of the host.
        tls: True or Tls: TLS. False: clear text. Default: clear text to this machine (`localhost`,
            `127.x.x.x`, `[::1]`, `unix:`), and TLS to every other machine.
        token: bearer token, or a function that returns the current one and is called for each call.
            Must not be sent in clear text to another machine.
        timeout: default timeout of unary calls, in seconds. math.inf means none.
        connect_timeout: timeout of one attempt to connect, in seconds: TCP, TLS and the first frame
            of HTTP/2 together.
        metadata: function that returns metadata to send, such as `traceparent`. It is called for
            each call, in the thread of the caller.
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
