"""A remote client's walk through the life of three sessions, and of a watch that is cut.

python examples/walkthrough.py HOST:PORT

Knows the host only by its address, and fails where something is not as the contract says.
"""

from __future__ import annotations

import socket
import sys
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING

from wifidirect_gateway import (
    Backoff,
    Change,
    Client,
    Device,
    Disconnected,
    DisconnectEvidence,
    DriverKind,
    GatewayError,
    Reason,
    SessionEventType,
    SessionState,
    Snapshot,
    connect,
    name_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


def walk(client: Client, address: str) -> None:
    near, far = introduce(client)
    chapter(1, f"A session to {near.name} opens, and is closed")
    open_and_close(client, near)
    chapter(2, f"A session to {far.name}, which is out of range, fails")
    fail(client, far)
    chapter(3, f"A session to {near.name} is cancelled while it opens")
    cancel(client, near)
    chapter(4, "A watch is cut off, misses a session, and resumes")
    cut_watch(client, address, near)


def introduce(client: Client) -> tuple[Device, Device]:
    """List the devices, and pick one that is in range and one that is not."""
    host = client.host()
    print(f"The host is {host.hostname}, its driver {name_of(DriverKind, host.driver.kind)}. Its paired devices:")
    devices = list(client.devices.list())
    for device in devices:
        print(f"  {device.device_address}  {device.name}")
    near = next(device for device in devices if device.is_visible and not device.is_legacy)
    far = next(device for device in devices if device.HasField("is_visible") and not device.is_visible)
    return near, far


def open_and_close(client: Client, device: Device) -> None:
    with client.sessions.open(device.device_address) as session:
        tell("OPEN", f"interface {session.wait_open().network_interface.guid}")
        closed = session.close()
        for event in session:
            tell(name_of(SessionEventType, event.type))
    tell("", f"evidence {name_of(DisconnectEvidence, closed.end.evidence)}")
    expect(closed.state == SessionState.SESSION_STATE_CLOSED, "a closed session ends CLOSED")
    unconfirmed = DisconnectEvidence.DISCONNECT_EVIDENCE_UNCONFIRMED
    expect(closed.end.evidence != unconfirmed, "the end of the connection was seen")


def fail(client: Client, device: Device) -> None:
    failure: GatewayError | None = None
    try:
        with client.sessions.open(device.device_address) as session:
            for event in session:
                tell(name_of(SessionEventType, event.type))
    except GatewayError as error:
        failure = error
    if failure is None or failure.native is None:
        raise AssertionError(f"not as promised: the failure has a native code, but it is {failure}")
    tell("", f"{failure.code.name}, {failure.reason}")
    tell("", f"{failure.native.function}: {failure.native.code} {failure.native.name}")
    tell("", f"reason {failure.native.reason_code}: {failure.native.reason_text}")
    expect(failure.reason == Reason.OPEN_FAILED, "the reason is OPEN_FAILED")


def cancel(client: Client, device: Device) -> None:
    with client.sessions.open(device.device_address) as session:
        client.sessions.cancel(session.session_id)
        for event in session:
            tell(name_of(SessionEventType, event.type))
    expect(session.session.state == SessionState.SESSION_STATE_CANCELLED, "a cancelled session ends CANCELLED")


def cut_watch(client: Client, address: str, device: Device) -> None:
    """Watch by a way of its own, which is cut while a session comes and goes."""
    missed, last = "", 0
    backoff = Backoff(initial=0.05, max=0.2)
    with Way.to(address) as way, connect(way.address) as watcher, watcher.sessions.watch(backoff=backoff) as items:
        for item in items:
            match item:
                case Snapshot(sessions):
                    tell("snapshot", f"{len(sessions)} sessions")
                    way.cut()
                    missed = come_and_go(client, device)
                    tell("", "meanwhile, a session came and went")
                case Disconnected(error, retry_in):
                    if not missed:
                        raise error
                    tell("disconnected", f"again in {retry_in * 1000:.0f} ms")
                    way.mend()
                case Change(event):
                    tell(name_of(SessionEventType, event.type))
                    expect(last in {0, event.sequence - 1}, "no event is missed")
                    last = event.sequence
                    if (event.session.session_id, event.type) == (missed, SessionEventType.SESSION_EVENT_TYPE_CLOSED):
                        return


def come_and_go(client: Client, device: Device) -> str:
    with client.sessions.open(device.device_address) as session:
        session.wait_open()
        return session.close().session_id


class Way:
    """A way to a host that can be cut."""

    def __init__(self, host: str) -> None:
        name, _, port = host.rpartition(":")
        self._host = (name, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = Lock()
        self._is_cut = False
        self._sockets: list[socket.socket] = []

    @classmethod
    @contextmanager
    def to(cls, host: str) -> Iterator[Way]:
        way = cls(host)
        Thread(target=way._accept, daemon=True).start()
        try:
            yield way
        finally:
            way._listener.close()
            way.cut()

    def cut(self) -> None:
        with self._lock:
            self._is_cut = True
            for each in self._sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            self._sockets.clear()

    def mend(self) -> None:
        with self._lock:
            self._is_cut = False

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                with self._lock:
                    if self._is_cut:
                        near.close()
                        continue
                    far = socket.create_connection(self._host)
                    self._sockets += [near, far]
                Thread(target=pipe, args=(near, far), daemon=True).start()
                Thread(target=pipe, args=(far, near), daemon=True).start()


def pipe(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


started = monotonic()


def chapter(number: int, title: str) -> None:
    global started  # noqa: PLW0603 a program of one story
    started = monotonic()
    print(f"\n{number}. {title}")


def tell(label: str, text: str = "") -> None:
    print(f"   +{monotonic() - started:.3f} s  {label:<12} {text}".rstrip(), flush=True)


def expect(is_so: bool, what: str) -> None:
    if not is_so:
        raise AssertionError(f"not as promised: {what}")


def main() -> int:
    if len(sys.argv) != 2:
        print("Usage: walkthrough.py HOST:PORT", file=sys.stderr)
        return 64
    address = sys.argv[1]
    try:
        with connect(address) as client:
            walk(client, address)
    except (AssertionError, GatewayError) as error:
        print(f"\nThe walk ended early: {error}", file=sys.stderr)
        return 1
    print("\nok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
