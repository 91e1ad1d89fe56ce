"""The calls of the asyncio client: adds deadlines and tokens, and converts errors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from inspect import isawaitable
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar, cast

import grpc
from grpc import aio

from wifidirect_gateway import options as opt
from wifidirect_gateway.clock import HostClock
from wifidirect_gateway.errors import GatewayError, decode, silent, unparsable
from wifidirect_gateway.requests import deadline

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

    from wifidirect_gateway.watching import Batch, Watching, WatchItem

Q = TypeVar("Q")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")
E = TypeVar("E")

S = TypeVar("S")

TokenSource: TypeAlias = str | Callable[[], str | Awaitable[str]]
MetadataHook: TypeAlias = Callable[[], opt.Headers | Awaitable[opt.Headers]]


@contextmanager
def _errors_decoded(connect_timeout: float) -> Iterator[None]:
    try:
        yield
    except aio.AioRpcError as error:
        raise decode(error, connect_timeout) from error
    except asyncio.CancelledError as error:
        # gRPC also raises this if the call was cancelled or its channel closed, but not the waiting
        # task.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise GatewayError(grpc.StatusCode.CANCELLED, "The program cancelled the call.") from error


class Stream(Generic[R_co]):
    """The responses of one call.

    Raises GatewayError if the call fails or the host is silent for too long.
    """

    def __init__(self, connection: Connection, call: aio.UnaryStreamCall[Q, R_co], patience: float | None) -> None:
        self._connection = connection
        self._call = call
        self._responses = aiter(call)
        self.patience = patience
        """How long to wait for a message, in seconds. None means forever."""
        self.is_dated = False
        """Whether the last message contained the time when it was sent."""

    def __aiter__(self) -> AsyncIterator[R_co]:
        return self

    async def __anext__(self) -> R_co:
        try:
            async with asyncio.timeout(self.patience):
                with _errors_decoded(self._connection.connect_timeout):
                    response: R_co | None = await anext(self._responses)
        except TimeoutError as error:
            raise silent(self.patience or 0.0) from error
        if response is None:
            # This is how gRPC for asyncio reports a message that it can't parse.
            self.cancel()
            raise unparsable()
        self.is_dated = self._connection.clock.observe(response)
        return response

    def cancel(self) -> None:
        self._call.cancel()


class _Bound:
    """The channel and stubs of one event loop.

    A channel of asyncio can't be used in another loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, channel: aio.Channel) -> None:
        self.loop = loop
        self.channel = channel
        self.closed = asyncio.Event()
        # The stubs by their classes.
        self.stubs: dict[object, object] = {}


class Connection:
    """The connection to one host.

    It belongs to the event loop that first uses it, until that loop is closed.
    """

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
        self._address = address
        self._target = opt.resolve(
            address, tls=tls, has_token=token is not None, options=options, connect_timeout=connect_timeout
        )
        self.clock = HostClock()
        self._token = token
        self._hook = metadata
        self._timeout = timeout
        self.connect_timeout = connect_timeout
        self._bound: _Bound | None = None
        self._is_closed = False

    @property
    def channel(self) -> aio.Channel:
        return self._bind().channel

    def stub(self, kind: Callable[[aio.Channel], S]) -> S:
        """Return the stub on the channel of this loop. Creates it once."""
        bound = self._bind()
        if kind not in bound.stubs:
            bound.stubs[kind] = kind(bound.channel)
        return cast("S", bound.stubs[kind])

    async def unary(self, method: aio.UnaryUnaryMultiCallable[Q, R], request: Q, timeout: float | None = None) -> R:
        """Make a call.

        `timeout` is in seconds; None means the default of the connection, and inf none.
        """
        metadata = await self._metadata()
        self._check_open()
        with _errors_decoded(self.connect_timeout):
            response: R | None = await method(request, timeout=deadline(timeout, self._timeout), metadata=metadata)
        if response is None:
            raise unparsable()
        self.clock.observe(response)
        return response

    async def stream(self, method: aio.UnaryStreamMultiCallable[Q, R], request: Q, patience: float | None) -> Stream[R]:
        """Start a stream.

        `patience` is how long to wait for each message, in seconds; None means forever.
        """
        metadata = await self._metadata()
        self._check_open()
        return Stream(self, method(request, metadata=metadata), patience)

    async def watch(
        self, watching: Watching[T, E], attach: Callable[[str], Awaitable[Stream[Batch[T, E]]]]
    ) -> AsyncGenerator[WatchItem[T, E], None]:
        """Attach, yield the items, and attach again."""
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
            disconnected = watching.disconnected(error)
            yield disconnected
            await self._sleep(disconnected.retry_in)

    async def close(self) -> None:
        if self._bound is None or self._bound.loop.is_closed():
            self._is_closed = True
            return
        if self._is_closed:
            return
        bound = self._bind()
        self._is_closed = True
        bound.closed.set()
        await bound.channel.close()

    def _bind(self) -> _Bound:
        self._check_open()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError as error:
            raise GatewayError(
                grpc.StatusCode.FAILED_PRECONDITION, "No event loop is running; use the client in a coroutine."
            ) from error
        if self._bound is None or self._bound.loop.is_closed():
            self._bound = _Bound(loop, self._connect())
        elif self._bound.loop is not loop:
            raise GatewayError(
                grpc.StatusCode.FAILED_PRECONDITION,
                "Another event loop uses the client and is not closed yet; create one client per loop.",
            )
        return self._bound

    def _connect(self) -> aio.Channel:
        if self._target.credentials is None:
            return aio.insecure_channel(self._address, self._target.options)
        return aio.secure_channel(self._address, self._target.credentials, self._target.options)

    async def _sleep(self, seconds: float) -> None:
        closed = self._bind().closed
        try:
            async with asyncio.timeout(seconds):
                await closed.wait()
        except TimeoutError:
            pass

    def _check_open(self) -> None:
        if self._is_closed:
            raise GatewayError(grpc.StatusCode.CANCELLED, "The client was closed.")

    async def _metadata(self) -> list[tuple[str, str]]:
        metadata: list[tuple[str, str]] = []
        try:
            if self._hook is not None:
                given = self._hook()
                metadata += opt.headers(await given if isawaitable(given) else given)
        except Exception as error:
            raise opt.source_failed("metadata", error) from error
        try:
            if self._token is not None:
                token = self._token if isinstance(self._token, str) else self._token()
                metadata.append(opt.bearer(await token if isawaitable(token) else token))
        except Exception as error:
            raise opt.source_failed("token", error) from error
        return metadata
