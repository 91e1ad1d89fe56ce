"""How hosts are reached, and what never leaves in clear text."""

import math
import re
import socket
from itertools import count

import pytest
from host import DISPLAY, ScriptedHost

from wifidirect.v1.session_service_pb2 import WatchSessionsResponse
from wifidirect_gateway import Backoff, Bookmark, Disconnected, GatewayError, Tls, aio, connect
from wifidirect_gateway.options import Headers, check_address, resolve

QUICK = Backoff(initial=0.001, max=0.001)


def is_secure(address: str, *, tls: bool | Tls | None = None) -> bool:
    return resolve(address, tls=tls, has_token=False, options=()).credentials is not None


NONE = {
    "": "is empty",
    " \t": "is empty",
    "host.example:1 ": "white space",
    "http://127.0.0.1:50051": "starts with http://",
    "https://host.example": "starts with https://",
    "grpc://host.example:1": "starts with grpc://",
    "tcp://h:1": "starts with tcp://",
    "host.example:50051/path": "has a path",
    "host.example:0": "not a port",
    "host.example:65536": "not a port",
    "host.example:port": "not a port",
    "host.example:": "not a port",
    "host.example:-1": "not a port",
    "[::1]:65536": "not a port",
    "dns:///host.example:0": "not a port",
    ":50051": "not the address of a host",
    "a:b:c": "not the address of a host",
}


@pytest.mark.parametrize(("address", "told"), NONE.items())
def test_an_address_that_is_none_is_refused(address: str, told: str) -> None:
    for make in (connect, aio.connect):
        with pytest.raises(GatewayError, match=f"^INVALID_ARGUMENT: address: .*{re.escape(told)}"):
            make(address)


@pytest.mark.parametrize(
    "address",
    [
        "localhost:50051",
        "localhost",
        "host-7.example:65535",
        "[::1]:50051",
        "[fe80::1%eth0]:50051",
        "::1",
        "fe80::1:2",
        "dns:///host.example:50051",
        "dns:host.example:50051",
        "dns://8.8.8.8/host.example:50051",
        "ipv4:10.0.0.7:1,10.0.0.8:2",
        "ipv6:[::1]:50051",
        "unix:/run/wfdd.sock",
        "unix:///run/wfdd.sock",
    ],
)
def test_the_addresses_that_grpc_knows_are_taken(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize(
    ("token", "told"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("secret\n", "a line break at position 7"),
        ("s\0cret", r"U\+0000 at position 2"),
        ("s\u00e9cret", r"U\+00E9"),
    ],
)
def test_a_token_that_no_header_can_hold_is_refused_and_not_told(token: str, told: str) -> None:
    for make in (connect, aio.connect):
        with pytest.raises(GatewayError, match=f"^INVALID_ARGUMENT: token: .*{told}") as raised:
            make("localhost:1", token=token)
        assert "cret" not in str(raised.value)


@pytest.mark.parametrize("seconds", [0, -1, math.nan])
@pytest.mark.parametrize("option", ["timeout", "connect_timeout"])
def test_a_timeout_that_is_none_is_refused(option: str, seconds: float) -> None:
    for make in (connect, aio.connect):
        with pytest.raises(GatewayError, match=f"^INVALID_ARGUMENT: {option}: is "):
            make("localhost:1", **{option: seconds})  # type: ignore[arg-type]


def test_a_bookmark_or_heartbeat_interval_that_is_none_is_refused() -> None:
    with connect("localhost:1") as client:
        with pytest.raises(GatewayError, match="INVALID_ARGUMENT: bookmark_interval"):
            client.sessions.watch(bookmark_interval=-1)
        with (
            pytest.raises(GatewayError, match="INVALID_ARGUMENT: heartbeat_interval"),
            client.sessions.open("", heartbeat_interval=-1),
        ):
            pytest.fail("it was refused")


def test_a_vanished_host_is_noticed_within_30_s_and_an_attempt_to_connect_ends_within_10_s() -> None:
    options = dict(resolve("localhost", tls=None, has_token=False, options=()).options)
    # The core waits for the longer of the two.
    silence = max(options["grpc.keepalive_timeout_ms"], options["grpc.http2.ping_timeout_ms"])
    assert options["grpc.keepalive_time_ms"] + silence <= 30_000
    assert options["grpc.min_reconnect_backoff_ms"] == 10_000
    # An attempt may take as long as the pause after it, which may be longer by a fifth.
    assert options["grpc.max_reconnect_backoff_ms"] * 1.2 <= 10_000


@pytest.mark.parametrize("is_secure", [True, False])
def test_a_host_that_accepts_and_says_nothing_is_given_up(*, is_secure: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with (
            connect(address, tls=is_secure, connect_timeout=0.3, timeout=60) as client,
            pytest.raises(GatewayError, match=r"UNAVAILABLE: .*no answer within 0\.3 s"),
        ):
            client.host()


def test_the_cause_of_a_failed_connection_is_named(address: str) -> None:
    with connect(address, tls=True) as client, pytest.raises(GatewayError, match="the host does not use TLS"):
        client.host()
    with connect("127.0.0.1:1") as client, pytest.raises(GatewayError, match="Connection refused"):
        client.host()


LOCAL = ["localhost:50051", "127.0.0.1:50051", "[::1]:50051", "unix:/run/wfdd.sock", "dns:///localhost:1", "localhost"]
REMOTE = [
    "host.example:50051",
    "10.0.0.7:50051",
    "dns:///host.example",
    "localhost.example:1",
    "1127.0.0.1:1",
    "::1:5005",
]


@pytest.mark.parametrize("address", LOCAL)
def test_this_machine_is_reached_in_clear_text_unless_told_otherwise(address: str) -> None:
    assert not is_secure(address)
    assert is_secure(address, tls=True)


@pytest.mark.parametrize("address", REMOTE)
def test_any_other_machine_is_reached_by_tls_unless_told_otherwise(address: str) -> None:
    assert is_secure(address)
    assert not is_secure(address, tls=False)


@pytest.mark.parametrize("address", REMOTE)
def test_a_token_never_goes_to_another_machine_in_clear_text(address: str) -> None:
    with pytest.raises(GatewayError, match=r"INVALID_ARGUMENT: token: .* clear text"):
        connect(address, tls=False, token="secret")


def test_a_token_goes_with_each_call_and_is_asked_for_each_time(host: ScriptedHost, address: str) -> None:
    tokens = iter(["first", "second"])
    with connect(address, token=lambda: next(tokens)) as client:
        client.sessions.get("a-session")
        client.sessions.get("a-session")
    assert host.seen[::2] == ["Bearer first", "Bearer second"]


def test_a_token_that_can_not_be_had_is_no_end_for_a_watch(host: ScriptedHost, address: str) -> None:
    tries = 0

    def token() -> str:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise RuntimeError("the vault is sealed")
        return "secret"

    host.watches = [lambda _: iter([WatchSessionsResponse(cursor="c1")])]
    with connect(address, token=token) as client, client.sessions.watch(backoff=QUICK) as watch:
        sealed = next(watch)
        assert isinstance(sealed, Disconnected)
        assert str(sealed.error) == "UNAVAILABLE: Can't get the token: the vault is sealed"
        assert next(watch) == Bookmark("c1")


def test_options_of_the_caller_win() -> None:
    mine = ("grpc.keepalive_time_ms", 1000)
    assert resolve("localhost", tls=None, has_token=False, options=[mine]).options[-1] == mine


def test_another_name_may_be_looked_for_in_the_certificate() -> None:
    target = resolve("10.0.0.7:1", tls=Tls(server_name="host.example"), has_token=False, options=())
    assert ("grpc.ssl_target_name_override", "host.example") in target.options


def test_a_token_that_a_source_gives_and_no_header_can_hold_fails_the_call(address: str) -> None:
    with connect(address, token=lambda: "secret\n") as client:
        with pytest.raises(GatewayError, match=r"UNAVAILABLE: Can't get the token: .* line break") as raised:
            client.sessions.get("a-session")
        assert "secret" not in str(raised.value)


def test_every_call_has_what_the_hook_for_metadata_gives(host: ScriptedHost, address: str) -> None:
    numbers = count(1)
    hook = lambda: {"traceparent": f"number-{next(numbers)}"}  # noqa: E731
    host.watches = [lambda _: iter([WatchSessionsResponse(cursor="c1")])]
    with connect(address, metadata=hook, token="secret") as client:
        client.sessions.get("a-session")
        with client.sessions.open(DISPLAY):
            pass
        next(client.sessions.watch())
    assert [headers["traceparent"] for headers in host.headers] == ["number-1", "number-2", "number-3"]
    assert host.headers[0]["authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"Upper": "x"}, "'Upper' is not a valid name"),
        ({"grpc-timeout": "x"}, "not a valid name"),
        ({"authorization": "x"}, "use the option token"),
        ([("x", "a\nb")], "a header can't have"),
    ],
)
def test_metadata_that_can_not_be_sent_fails_the_call(given: Headers, told: str, address: str) -> None:
    with (
        connect(address, metadata=lambda: given) as client,
        pytest.raises(GatewayError, match=f"UNAVAILABLE: Can't get the metadata: .*{told}"),
    ):
        client.sessions.get("a-session")
