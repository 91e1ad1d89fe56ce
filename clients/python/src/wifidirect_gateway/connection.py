"""The calls of the blocking client: adds deadlines and tokens, and converts errors."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import grpc

from . import options as opt
from .clock import HostClock
from .errors import GatewayError, decode, silent
from .requests import deadline
from .watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Iterator

Q = TypeVar("Q")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

TokenSource: TypeAlias = str | Callable[[], str]
MetadataHook: TypeAlias = Callable[[], opt.Headers]


class Stream(Generic[R_co]):
    """The responses of one call.

    Raises GatewayError if the call fails or the host is silent for too long.
    """

    def __init__(self, connection: Connection, call: grpc._CallIterator[R_co], patience: float | None) -> None:
        self._connection = connection
        self._call = call
        self._was_silent = False
        self.patience = patience
        """How long to wait for a message, in seconds. None means forever."""
        self.is_dated = False
        """Whether the last message contained the time when it was sent."""

    def __iter__(self) -> Iterator[R_co]:
        return self

    def __next__(self) -> R_co:
        try:
            response = self._wait(self.patience)
        except grpc.RpcError as error:
            if self._was_silent and self.patience is not None:
                raise silent(self.patience) from error
            raise self._connection.decode(error) from error
        self.is_dated = self._connection.clock.observe(response)
        return response

    def cancel(self) -> None:
        self._call.cancel()

    def _wait(self, patience: float | None) -> R_co:
        if patience is None:
            return next(self._call)
        with self._connection.watchdog.bound(patience, self._give_up):
            return next(self._call)

    def _give_up(self) -> None:
        self._was_silent = True
        self._call.cancel()


class Connection:
    """The connection to one host."""

    def __init__(
        self,
        address: str,
        *,
        tls: bool | opt.Tls | None,
        token: TokenSource | None,
        timeout: float,
        connect_timeout: float,
        metadata: MetadataHook | None,
        options: opt.ChannelOptions,
    ) -> None:
        opt.check_seconds("timeout", timeout)
        if isinstance(token, str):
            opt.check_token(token)
        target = opt.resolve(
            address, tls=tls, has_token=token is not None, options=options, connect_timeout=connect_timeout
        )
        if target.credentials is None:
            self.channel = grpc.insecure_channel(address, target.options)
        else:
            self.channel = grpc.secure_channel(address, target.credentials, target.options)
        self.clock = HostClock()
        self._token = token
        self._hook = metadata
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self.watchdog = Watchdog()
        self._is_closed = False
        self._changed = Condition()

    def unary(self, method: grpc.UnaryUnaryMultiCallable[Q, R], request: Q, timeout: float | None = None) -> R:
        """Make a call.

        `timeout` is in seconds; None means the default of the connection, and inf none.
        """
        self.check_open()
        metadata = self._metadata()
        try:
            response = method(request, timeout=deadline(timeout, self._timeout), metadata=metadata)
        except grpc.RpcError as error:
            raise self.decode(error) from error
        except ValueError:
            self.check_open()  # Another thread may have closed it meanwhile.
            raise
        self.clock.observe(response)
        return response

    def stream(self, method: grpc.UnaryStreamMultiCallable[Q, R], request: Q, patience: float | None) -> Stream[R]:
        """Start a stream.

        `patience` is how long to wait for each message, in seconds; None means forever.
        """
        self.check_open()
        metadata = self._metadata()
        try:
            return Stream(self, method(request, metadata=metadata), patience)
        except ValueError:
            self.check_open()
            raise

    def decode(self, error: grpc.RpcError) -> GatewayError:
        return decode(error, self._connect_timeout)

    def pause(self, seconds: float, is_over: Callable[[], bool]) -> None:
        """Wait until the time is over, the connection is closed, or `wake` was called and `is_over`."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or is_over(), seconds)

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        self._is_closed = True
        self.wake()
        self.channel.close()
        self.watchdog.close()

    def check_open(self) -> None:
        if self._is_closed:
            raise GatewayError(grpc.StatusCode.CANCELLED, "The client was closed.")

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        metadata: list[tuple[str, str]] = []
        try:
            if self._hook is not None:
                metadata += opt.headers(self._hook())
        except Exception as error:
            raise opt.source_failed("metadata", error) from error
        try:
            if self._token is not None:
                metadata.append(opt.bearer(self._token if isinstance(self._token, str) else self._token()))
        except Exception as error:
            raise opt.source_failed("token", error) from error
        return tuple(metadata)
