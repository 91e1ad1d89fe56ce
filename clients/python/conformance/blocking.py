"""The conformance agent of the blocking client: a thread for each command. See test/conformance/protocol.ts."""

from __future__ import annotations

import json
import sys
from threading import Lock, Thread
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

from wifidirect_gateway import Client, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

client: Client | None = None
leaving: dict[int, Callable[[], None]] = {}
writing = Lock()


def carry_out(client: Client, command: Command) -> Iterator[Item]:
    sessions, devices = client.sessions, client.devices
    match command["do"]:
        case "open":
            with sessions.open(**open_options(command)) as session:
                leaving[command["id"]] = session.detach
                yield from ({"event": event_item(event)} for event in session)
        case "watch":
            with sessions.watch(**watch_options(command)) as items:
                leaving[command["id"]] = items.close
                yield from map(watch_item, items)
        case "get":
            yield session_at(sessions.get(command["sessionId"]))
        case "cancel":
            yield session_at(sessions.cancel(command["sessionId"]))
        case "close":
            yield session_at(sessions.close(command["sessionId"], wait=command.get("wait", False)))
        case "renew":
            yield session_at(sessions.renew(command["sessionId"], seconds(command.get("leaseTtlMs"))))
        case "sessions":
            yield from ({"session": session_item(session)} for session in sessions.list())
        case "devices":
            yield from map(device_item, devices.list())
        case "find":
            yield device_item(devices.update_visibility(command["deviceAddress"]).device)
        case "host":
            yield host_item(client.host(), client.health())


def answer(client: Client, command: Command) -> None:
    end: Item = {}
    try:
        for item in carry_out(client, command):
            write({"id": command["id"], "item": item})
    except Exception as error:  # noqa: BLE001 what is thrown is the answer
        end = {"error": error_item(error)}
    write({"id": command["id"], "end": end})


def write(line: Item) -> None:
    with writing:
        print(json.dumps(line), flush=True)


for line in sys.stdin:
    command: Command = json.loads(line)
    if command["do"] == "connect":
        end: Item = {}
        try:
            fresh = connect(command["address"], **connect_options(command))
            if client is not None:
                client.close()
            client = fresh
        except Exception as error:  # noqa: BLE001 what is thrown is the answer
            end = {"error": error_item(error)}
        write({"id": command["id"], "end": end})
    elif command["do"] == "leave":
        leaving[command["command"]]()
        write({"id": command["id"], "end": {}})
    elif client is not None:
        Thread(target=answer, args=(client, command), daemon=True).start()
