"""Calls of the asyncio client: deadlines and tokens in, GatewayError out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from inspect import isawaitable
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import grpc
from grpc import aio

from wifidirect_gateway.errors import GatewayError, decode
from wifidirect_gateway.options import ChannelOptions, Tls, no_token, resolve
from wifidirect_gateway.requests import deadline

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

    from wifidirect_gateway.watching import Batch, Watching, WatchItem

Q = TypeVar("Q")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")
E = TypeVar("E")

TokenSource: TypeAlias = str | Callable[[], str | Awaitable[str]]


@contextmanager
def _errors_decoded() -> Iterator[None]:
    try:
        yield
    except aio.AioRpcError as error:
        raise decode(error) from error
    except asyncio.CancelledError as error:
        # gRPC raises it also where the call was cancelled, or its channel closed, and the task that waits was not.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise GatewayError(grpc.StatusCode.CANCELLED, "The call was cancelled here.") from error


class Stream(Generic[R_co]):
    """The responses of one call, whose end may be an error."""

    def __init__(self, call: aio.UnaryStreamCall[Q, R_co]) -> None:
        self._call = call
        self._responses = aiter(call)

    def __aiter__(self) -> AsyncIterator[R_co]:
        return self

    async def __anext__(self) -> R_co:
        with _errors_decoded():
            return await anext(self._responses)

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
            self.channel = aio.insecure_channel(address, target.options)
        else:
            self.channel = aio.secure_channel(address, target.credentials, target.options)
        self._token = token
        self._timeout = timeout
        self._closed = asyncio.Event()

    async def unary(self, method: aio.UnaryUnaryMultiCallable[Q, R], request: Q, timeout: float | None = None) -> R:
        """Call within `timeout` seconds; None: the default of the connection, inf: however long it takes."""
        metadata = await self._metadata()
        self._check_open()
        with _errors_decoded():
            return await method(request, timeout=deadline(timeout, self._timeout), metadata=metadata)

    async def stream(self, method: aio.UnaryStreamMultiCallable[Q, R], request: Q) -> Stream[R]:
        metadata = await self._metadata()
        self._check_open()
        return Stream(method(request, metadata=metadata))

    async def watch(
        self, watching: Watching[T, E], attach: Callable[[str], Awaitable[Stream[Batch[T, E]]]]
    ) -> AsyncGenerator[WatchItem[T, E], None]:
        """Attach, give out what comes, and attach again."""
        while True:
            stream: Stream[Batch[T, E]] | None = None
            error: GatewayError | None = None
            try:
                stream = await attach(watching.cursor)
                async for batch in stream:
                    for item in watching.take(batch):
                        yield item
            except GatewayError as broken:
                error = broken
            finally:
                if stream is not None:
                    stream.cancel()
            self._check_open()
            disconnected = watching.broke(error)
            yield disconnected
            await self._sleep(disconnected.retry_in)

    async def close(self) -> None:
        self._closed.set()
        await self.channel.close()

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            pass

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise GatewayError(grpc.StatusCode.CANCELLED, "The client was closed.")

    async def _metadata(self) -> tuple[tuple[str, str], ...]:
        if self._token is None:
            return ()
        try:
            token = self._token if isinstance(self._token, str) else self._token()
            return (("authorization", f"Bearer {await token if isawaitable(token) else token}"),)
        except Exception as error:
            raise no_token(error) from error
