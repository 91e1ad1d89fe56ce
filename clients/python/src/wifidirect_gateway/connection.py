"""Calls of the blocking client: deadlines and tokens in, GatewayError out."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import grpc

from .errors import GatewayError, decode
from .options import ChannelOptions, Tls, no_token, resolve
from .requests import deadline

if TYPE_CHECKING:
    from collections.abc import Iterator

Q = TypeVar("Q")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

TokenSource: TypeAlias = str | Callable[[], str]


class Stream(Generic[R_co]):
    """The responses of one call, whose end may be an error."""

    def __init__(self, call: grpc._CallIterator[R_co]) -> None:
        self._call = call

    def __iter__(self) -> Iterator[R_co]:
        return self

    def __next__(self) -> R_co:
        try:
            return next(self._call)
        except grpc.RpcError as error:
            raise decode(error) from error

    def cancel(self) -> None:
        self._call.cancel()


class Connection:
    """The way to one host."""

    def __init__(
        self,
        address: str,
        *,
        tls: bool | Tls | None,
        token: TokenSource | None,
        timeout: float,
        options: ChannelOptions,
    ) -> None:
        target = resolve(address, tls=tls, has_token=token is not None, options=options)
        if target.credentials is None:
            self.channel = grpc.insecure_channel(address, target.options)
        else:
            self.channel = grpc.secure_channel(address, target.credentials, target.options)
        self._token = token
        self._timeout = timeout
        self._is_closed = False
        self._changed = Condition()

    def unary(self, method: grpc.UnaryUnaryMultiCallable[Q, R], request: Q, timeout: float | None = None) -> R:
        """Call within `timeout` seconds; None: the default of the connection, inf: however long it takes."""
        self.check_open()
        try:
            return method(request, timeout=deadline(timeout, self._timeout), metadata=self._metadata())
        except grpc.RpcError as error:
            raise decode(error) from error
        except ValueError:
            self.check_open()  # Another thread may just have closed it.
            raise

    def stream(self, method: grpc.UnaryStreamMultiCallable[Q, R], request: Q) -> Stream[R]:
        self.check_open()
        try:
            return Stream(method(request, metadata=self._metadata()))
        except ValueError:
            self.check_open()
            raise

    def pause(self, seconds: float, is_over: Callable[[], bool]) -> None:
        """Wait so long, or until the connection is closed, or `wake` has been called and it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or is_over(), seconds)

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        self._is_closed = True
        self.wake()
        self.channel.close()

    def check_open(self) -> None:
        if self._is_closed:
            raise GatewayError(grpc.StatusCode.CANCELLED, "The client was closed.")

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        if self._token is None:
            return ()
        try:
            token = self._token if isinstance(self._token, str) else self._token()
        except Exception as error:
            raise no_token(error) from error
        return (("authorization", f"Bearer {token}"),)
