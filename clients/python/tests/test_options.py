"""How hosts are reached, and what never leaves in clear text."""

from pathlib import Path

import pytest
from host import ScriptedHost

from wifidirect.v1.session_service_pb2 import WatchSessionsResponse
from wifidirect_gateway import Backoff, Bookmark, Disconnected, GatewayError, Tls, connect
from wifidirect_gateway.options import resolve

QUICK = Backoff(initial=0.001, max=0.001)


def is_secure(address: str, *, tls: bool | Tls | None = None) -> bool:
    return resolve(address, tls=tls, has_token=False, options=()).credentials is not None


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
        assert str(sealed.error) == "UNAVAILABLE: The token can't be had: the vault is sealed"
        assert next(watch) == Bookmark("c1")


def test_options_of_the_caller_win() -> None:
    mine = ("grpc.keepalive_time_ms", 1000)
    assert resolve("localhost", tls=None, has_token=False, options=[mine]).options[-1] == mine


def test_another_name_may_be_looked_for_in_the_certificate() -> None:
    target = resolve("10.0.0.7:1", tls=Tls(server_name="host.example"), has_token=False, options=())
    assert ("grpc.ssl_target_name_override", "host.example") in target.options


def test_files_that_can_not_be_used_are_named() -> None:
    with pytest.raises(GatewayError, match=r"tls\.ca: can't read no-such\.pem"):
        connect("host.example:1", tls=Tls(ca=Path("no-such.pem")))
    with pytest.raises(GatewayError, match="tls: cert and key go together"):
        connect("host.example:1", tls=Tls(cert="PEM"))
