"""How to connect: address, TLS and credentials in, what gRPC takes out.

The rule that must not be broken: no credential leaves in clear text, but to this machine itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import grpc

from . import pem
from .errors import GatewayError, invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .pem import Pem

ChannelOptions: TypeAlias = "Sequence[tuple[str, Any]]"

Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
"""Names and values that go with a call."""

TIMEOUT_DEFAULT = 10.0
CONNECT_TIMEOUT_DEFAULT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """What TLS trusts and shows."""

    ca: Pem | None = None
    """Certificates of the authorities that may have signed the host's, or that certificate itself. Default: those that
    gRPC trusts."""

    cert: Pem | None = None
    """The client's own certificate, with its chain, for mTLS; needs `key`."""

    key: Pem | None = None
    """The private key of `cert`, without a password."""

    server_name: str | None = None
    """The name to look for in the host's certificate, where it is not the one in the address."""


class Target(NamedTuple):
    """A channel to be made: without credentials it is in clear text."""

    credentials: grpc.ChannelCredentials | None
    options: ChannelOptions


# A host that vanished without a word is noticed within 30 s: streams have no deadline that would tell.
# The core waits for the longer of the two timeouts; that of pings is 60 s by default.
_KEEPALIVE: ChannelOptions = (
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
)

# Calls fail at once while the channel waits to reconnect, so it must not wait for longer than a watch does.
_RECONNECT_INITIAL_MS = 250

# An attempt may take as long as the pause that would follow it, if that is longer than the connect timeout. The core
# lengthens pauses by up to a fifth, so with this much less it never is.
_RECONNECT_SHARE = 0.8

_THIS_MACHINE = re.compile(r"unix:.*|((dns|ipv4|ipv6):(///)?)?((localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?|::1)")


def resolve(
    address: str,
    *,
    tls: bool | Tls | None,
    has_token: bool,
    options: ChannelOptions,
    connect_timeout: float = CONNECT_TIMEOUT_DEFAULT,
) -> Target:
    """Choose how to reach the address; `options` win over what this package sets."""
    check_address(address)
    is_local = _THIS_MACHINE.fullmatch(address) is not None
    is_secure = not is_local if tls is None else tls is not False
    if has_token and not is_secure and not is_local:
        raise invalid("token", f"would reach {address} in clear text; use TLS.")
    own: list[tuple[str, Any]] = [*_KEEPALIVE, *_reconnect(connect_timeout)]
    if is_local:
        own.append(("grpc.enable_http_proxy", 0))
    if isinstance(tls, Tls) and tls.server_name is not None:
        own.append(("grpc.ssl_target_name_override", tls.server_name))
    credentials = _credentials(tls if isinstance(tls, Tls) else Tls()) if is_secure else None
    return Target(credentials, [*own, *options])


# Of the schemes that gRPC knows, those after which `host:port` follows, and those after which a path does.
_SCHEMES_OF_HOSTS = ("dns", "ipv4", "ipv6")
_SCHEMES_OF_PATHS = ("unix", "unix-abstract", "vsock", "xds")
_PORT_MAX = 65_535


def check_address(address: str) -> None:
    """Refuse what can't be the address of a host, before gRPC tries to look it up."""
    wanted = "give host:port, such as host-7.example:50051"
    if not address.strip():
        raise invalid("address", f"is empty; {wanted}.")
    if re.search(r"\s", address):
        raise invalid("address", f"{address!r} has white space in it; {wanted}.")
    scheme, colon, rest = address.partition(":")
    if colon and scheme.lower() in _SCHEMES_OF_PATHS:
        return
    if colon and scheme.lower() in _SCHEMES_OF_HOSTS:
        # dns://authority/host:port
        _, _, rest = rest.rpartition("/")
    elif rest.startswith("//"):
        raise invalid(
            "address", f"{address!r} begins with {scheme}://; {wanted}. Whether it is TLS, the option tls says."
        )
    else:
        rest = address
    for endpoint in rest.split(","):
        _check_endpoint(address, endpoint, wanted)


def _check_endpoint(address: str, endpoint: str, wanted: str) -> None:
    if "/" in endpoint:
        raise invalid("address", f"{address!r} has a path; {wanted}.")
    with suppress(ValueError):
        ip_address(endpoint)
        return  # Of IPv6, without brackets: it has no port.
    found = re.fullmatch(r"(?:\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[^:\[\]]+)(?::([^:]*))?", endpoint)
    if found is None:
        raise invalid("address", f"{address!r} names no host; {wanted}.")
    port = found[1]
    if port is not None and not (port.isascii() and port.isdecimal() and 0 < int(port) <= _PORT_MAX):
        raise invalid("address", f"{address!r} ends with {port!r}, which is no port from 1 to {_PORT_MAX}.")


def check_seconds(option: str, seconds: float, least: float = 0.0) -> None:
    """Refuse a time of nothing, a negative one and one that is no number; `math.inf` is a long time."""
    if not (seconds > 0 and seconds >= least):
        raise invalid(option, f"is {seconds:g} s; it has to be {f'{least:g} s or more' if least else 'more than 0 s'}.")


# What HTTP/2 and gRPC let through as the value of a header.
_UNSENDABLE = re.compile(r"[^\x20-\x7e]")
_HEADER_NAME = re.compile(r"[0-9a-z_.-]+")


def check_token(token: str) -> None:
    """Refuse a token that no header can hold. What it says is a secret, and is not told."""
    if not token.strip(" "):
        raise invalid("token", "is empty.")
    if found := _UNSENDABLE.search(token):
        where = "a line break" if found[0] in "\r\n" else f"U+{ord(found[0]):04X}"
        raise invalid(
            "token", f"has {where} at position {found.start() + 1}, which no header can hold; was it read from a file?"
        )


def headers(given: Headers) -> list[tuple[str, str]]:
    """Check what a hook for metadata gave."""
    pairs = list(given.items() if isinstance(given, Mapping) else given)
    for name, value in pairs:
        if not _HEADER_NAME.fullmatch(name) or name.startswith("grpc-"):
            raise invalid(
                "metadata", f"{name!r} is no name of a header: lower case, digits, _ . and -, and not grpc-*."
            )
        if name == "authorization":
            raise invalid("metadata", "authorization is the header of the option token.")
        if _UNSENDABLE.search(value):
            raise invalid("metadata", f"the value of {name!r} has a character that no header can hold.")
    return pairs


def bearer(token: str) -> tuple[str, str]:
    check_token(token)
    return ("authorization", f"Bearer {token}")


def not_had(what: str, error: Exception) -> GatewayError:
    """Make what a call fails with; not fatal to a watch, as whatever gives tokens may be back soon."""
    return GatewayError(grpc.StatusCode.UNAVAILABLE, f"The {what} can't be had: {error}")


def _reconnect(connect_timeout: float) -> ChannelOptions:
    check_seconds("connect_timeout", connect_timeout, 0.001)
    timeout_ms = math.ceil(min(connect_timeout, 3600.0) * 1000)
    pause_ms = min(timeout_ms, 10_000) * _RECONNECT_SHARE
    return (
        ("grpc.initial_reconnect_backoff_ms", min(_RECONNECT_INITIAL_MS, max(100, int(pause_ms)))),
        # Not only a pause: one attempt may take this long, from TCP to the first frame of HTTP/2.
        ("grpc.min_reconnect_backoff_ms", timeout_ms),
        ("grpc.max_reconnect_backoff_ms", max(100, int(pause_ms))),
    )


def _credentials(tls: Tls) -> grpc.ChannelCredentials:
    if (tls.cert is None) != (tls.key is None):
        raise invalid("tls", "cert and key go together.")
    ca = pem.certificates("tls.ca", tls.ca)
    cert = pem.certificates("tls.cert", tls.cert)
    key = pem.private_key("tls.key", tls.key)
    if tls.cert is not None and tls.key is not None:
        pem.check_pair(tls.cert, tls.key)
    return grpc.ssl_channel_credentials(ca, key, cert)
