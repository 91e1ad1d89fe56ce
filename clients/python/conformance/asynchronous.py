"""The conformance agent of the asyncio client: a task for each command. See test/conformance/protocol.ts."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING

from items import (
    Command,
    Item,
    connect_options,
    device_item,
    error_item,
    event_item,
    host_item,
    open_options,
    seconds,
    session_at,
    session_item,
    watch_item,
    watch_options,
)

from wifidirect_gateway.aio import Client, connect

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

tasks: dict[int, asyncio.Task[None]] = {}


async def carry_out(client: Client, command: Command) -> AsyncGenerator[Item, None]:
    sessions, devices = client.sessions, client.devices
    match command["do"]:
        case "open":
            async with sessions.open(**open_options(command)) as session:
                async for event in session:
                    yield {"event": event_item(event)}
        case "watch":
            async with aclosing(sessions.watch(**watch_options(command))) as items:
                async for item in items:
                    yield watch_item(item)
        case "get":
            yield session_at(await sessions.get(command["sessionId"]))
        case "cancel":
            yield session_at(await sessions.cancel(command["sessionId"]))
        case "close":
            yield session_at(await sessions.close(command["sessionId"], wait=command.get("wait", False)))
        case "renew":
            yield session_at(await sessions.renew(command["sessionId"], seconds(command.get("leaseTtlMs"))))
        case "sessions":
            async for each in sessions.list():
                yield {"session": session_item(each)}
        case "devices":
            async for device in devices.list():
                yield device_item(device)
        case "find":
            yield device_item((await devices.update_visibility(command["deviceAddress"])).device)
        case "host":
            yield host_item(await client.host(), await client.health())


async def answer(client: Client, command: Command) -> None:
    end: Item = {}
    try:
        async with aclosing(carry_out(client, command)) as items:
            async for item in items:
                write({"id": command["id"], "item": item})
    except Exception as error:  # noqa: BLE001 what is thrown is the answer
        end = {"error": error_item(error)}
    finally:
        write({"id": command["id"], "end": end})


def write(line: Item) -> None:
    print(json.dumps(line), flush=True)


async def main() -> None:
    client: Client | None = None
    while line := await asyncio.to_thread(sys.stdin.readline):
        command: Command = json.loads(line)
        if command["do"] == "connect":
            end: Item = {}
            try:
                fresh = connect(command["address"], **connect_options(command))
                if client is not None:
                    await client.close()
                client = fresh
            except Exception as error:  # noqa: BLE001 what is thrown is the answer
                end = {"error": error_item(error)}
            write({"id": command["id"], "end": end})
        elif command["do"] == "leave":
            tasks[command["command"]].cancel()
            write({"id": command["id"], "end": {}})
        elif client is not None:
            tasks[command["id"]] = asyncio.create_task(answer(client, command))
    if client is not None:
        await client.close()


asyncio.run(main())
