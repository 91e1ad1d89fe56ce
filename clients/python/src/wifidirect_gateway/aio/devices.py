"""Lists and watches devices. device_service.proto documents each RPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wifidirect.v1.device_pb2 import Device, DeviceEvent
from wifidirect.v1.device_service_pb2 import (
    ListDevicesRequest,
    UpdateDeviceVisibilityRequest,
    UpdateDeviceVisibilityResponse,
    WatchDevicesRequest,
)
from wifidirect.v1.device_service_pb2_grpc import DeviceServiceStub
from wifidirect_gateway import requests
from wifidirect_gateway.holding import patience
from wifidirect_gateway.watching import BACKOFF_DEFAULT, BOOKMARK_DEFAULT, Backoff, DeviceWatchItem, Watching

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterable

    from wifidirect.v1.device_service_pb2 import WatchDevicesResponse
    from wifidirect.v1.device_service_pb2_grpc import DeviceServiceAsyncStub

    from .connection import Connection, Stream


class Devices:
    """The paired devices of one host. All times are in seconds."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def _stub(self) -> DeviceServiceAsyncStub:
        return self._connection.stub(DeviceServiceStub)

    async def list(self, *, page_size: int = 0, timeout: float | None = None) -> AsyncIterator[Device]:
        """Iterate over the devices, ordered by address. Requests them page by page.

        `timeout` applies to each page.
        """
        page_token = None
        while page_token != "":
            request = ListDevicesRequest(page_size=page_size, page_token=page_token or "")
            page = await self._connection.unary(self._stub.ListDevices, request, timeout)
            for device in page.devices:
                yield device
            page_token = page.next_page_token

    def watch(
        self,
        *,
        cursor: str = "",
        device_addresses: Iterable[str] = (),
        bookmark_interval: float | None = None,
        backoff: Backoff = BACKOFF_DEFAULT,
    ) -> AsyncGenerator[DeviceWatchItem, None]:
        """Watch the devices. Works like Sessions.watch; `cursor` is a cursor of this service."""
        addresses, interval = tuple(device_addresses), requests.duration(bookmark_interval)
        silence = patience("bookmark_interval", bookmark_interval or BOOKMARK_DEFAULT)

        async def attach(cursor: str) -> Stream[WatchDevicesResponse]:
            request = WatchDevicesRequest(cursor=cursor, device_addresses=addresses, bookmark_interval=interval)
            return await self._connection.stream(self._stub.WatchDevices, request, silence)

        return self._connection.watch(Watching[Device, DeviceEvent](cursor, backoff), attach)

    async def update_visibility(
        self, device_address: str, *, discovery_timeout: float | None = None, timeout: float | None = None
    ) -> UpdateDeviceVisibilityResponse:
        """Search for a paired device by radio. `device.is_visible` of the response is the result.

        The host waits for the discovery for `discovery_timeout`: 1 s to 2 min, by default 15 s.
        """
        request = UpdateDeviceVisibilityRequest(
            device_address=device_address, timeout=requests.duration(discovery_timeout)
        )
        limit = timeout if timeout is not None else requests.discovery_patience(discovery_timeout)
        return requests.checked_visibility(
            await self._connection.unary(self._stub.UpdateDeviceVisibility, request, limit)
        )
