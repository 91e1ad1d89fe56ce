"""The loop of a watch in the blocking client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Self, TypeVar

from .errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from types import TracebackType

    from .connection import Connection, Stream
    from .watching import Batch, Watching, WatchItem

T = TypeVar("T")
E = TypeVar("E")


class Watch(Generic[T, E]):
    """Iterates over the items of a watch.

    `close`, from any thread, ends it, as does the end of a `with` block.
    """

    def __init__(
        self, connection: Connection, watching: Watching[T, E], attach: Callable[[str], Stream[Batch[T, E]]]
    ) -> None:
        self._connection = connection
        self._watching = watching
        self._attach = attach
        self._stream: Stream[Batch[T, E]] | None = None
        self._is_closed = False
        self._items = self._follow()

    def __iter__(self) -> Iterator[WatchItem[T, E]]:
        return self

    def __next__(self) -> WatchItem[T, E]:
        return next(self._items)

    def close(self) -> None:
        """End the watch, also while another thread waits for its next item."""
        self._is_closed = True
        self._connection.wake()
        if self._stream is not None:
            self._stream.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _follow(self) -> Iterator[WatchItem[T, E]]:
        while not self._is_closed:
            error = yield from self._follow_once()
            if self._is_closed:
                return
            self._connection.check_open()
            disconnected = self._watching.disconnected(error)
            yield disconnected
            self._connection.pause(disconnected.retry_in, lambda: self._is_closed)

    def _follow_once(self) -> Generator[WatchItem[T, E], None, GatewayError | None]:
        """Attach once, yield the items, and return the error that ended the stream."""
        self._stream = None
        try:
            self._stream = self._attach(self._watching.cursor)
            if self._is_closed:
                self._stream.cancel()
            for batch in self._stream:
                yield from self._watching.take(batch)
        except GatewayError as error:
            return error
        finally:
            if self._stream is not None:
                self._stream.cancel()
        return None
