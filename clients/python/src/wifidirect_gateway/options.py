"""Turns address, TLS and credentials into options of gRPC.

Invariant: credentials are never sent in clear text, except to this machine.
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
"""Metadata of a call."""

TIMEOUT_DEFAULT = 10.0
CONNECT_TIMEOUT_DEFAULT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Options of TLS."""

    ca: Pem | None = None
    """CA certificates to verify the host with, or the certificate of the host itself. Default: the
    CAs that gRPC trusts."""

    cert: Pem | None = None
    """The client certificate, with its chain, for mutual TLS. Needs `key`."""

    key: Pem | None = None
    """The private key of `cert`, without a password."""

    server_name: str | None = None
    """The name that the certificate of the host must have. Default: the name in the address."""


class Target(NamedTuple):
    """The parameters of a channel. Without credentials it uses clear text."""

    credentials: grpc.ChannelCredentials | None
    options: ChannelOptions


# Detects a host that disappeared within 30 s. Streams need this because they have no deadline.
# The core uses the longer of the two timeouts; the default for pings is 60 s.
_KEEPALIVE: ChannelOptions = (
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
)

# Calls fail at once while the channel waits to reconnect, so it must not wait longer than a watch
# does.
_RECONNECT_INITIAL_MS = 250

# If the next pause is longer than the connect timeout, the core uses that pause as the timeout. It
# lengthens pauses by up to a fifth, so this factor keeps every pause shorter.
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
    """Return the parameters of the channel.

    `options` override the options that this package sets.
    """
    check_address(address)
    is_local = _THIS_MACHINE.fullmatch(address) is not None
    is_secure = not is_local if tls is None else tls is not False
    if has_token and not is_secure and not is_local:
        raise invalid("token", f"would be sent to {address} in clear text; use TLS.")
    own: list[tuple[str, Any]] = [*_KEEPALIVE, *_reconnect(connect_timeout)]
    if is_local:
        own.append(("grpc.enable_http_proxy", 0))
    if isinstance(tls, Tls) and tls.server_name is not None:
        own.append(("grpc.ssl_target_name_override", tls.server_name))
    credentials = _credentials(tls if isinstance(tls, Tls) else Tls()) if is_secure else None
    return Target(credentials, [*own, *options])


# The schemes of gRPC that are followed by `host:port`, and those that are followed by a path.
_SCHEMES_OF_HOSTS = ("dns", "ipv4", "ipv6")
_SCHEMES_OF_PATHS = ("unix", "unix-abstract", "vsock", "xds")
_PORT_MAX = 65_535


def check_address(address: str) -> None:
    """Raise an error for an invalid address, before gRPC tries to look it up."""
    wanted = "give host:port, such as host-7.example:50051"
    if not address.strip():
        raise invalid("address", f"is empty; {wanted}.")
    if re.search(r"\s", address):
        raise invalid("address", f"{address!r} contains white space; {wanted}.")
    scheme, colon, rest = address.partition(":")
    if colon and scheme.lower() in _SCHEMES_OF_PATHS:
        return
    if colon and scheme.lower() in _SCHEMES_OF_HOSTS:
        # dns://authority/host:port
        _, _, rest = rest.rpartition("/")
    elif rest.startswith("//"):
        raise invalid("address", f"{address!r} starts with {scheme}://; {wanted}. The option tls selects TLS.")
    else:
        rest = address
    for endpoint in rest.split(","):
        _check_endpoint(address, endpoint, wanted)


def _check_endpoint(address: str, endpoint: str, wanted: str) -> None:
    if "/" in endpoint:
        raise invalid("address", f"{address!r} has a path; {wanted}.")
    with suppress(ValueError):
        ip_address(endpoint)
        return  # An IPv6 address without brackets has no port.
    found = re.fullmatch(r"(?:\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[^:\[\]]+)(?::([^:]*))?", endpoint)
    if found is None:
        raise invalid("address", f"{address!r} is not the address of a host; {wanted}.")
    port = found[1]
    if port is not None and not (port.isascii() and port.isdecimal() and 0 < int(port) <= _PORT_MAX):
        raise invalid("address", f"{address!r} ends with {port!r}, which is not a port from 1 to {_PORT_MAX}.")


def check_seconds(option: str, seconds: float, least: float = 0.0) -> None:
    """Raise an error unless the time is positive. `math.inf` is allowed; NaN is not."""
    if not (seconds > 0 and seconds >= least):
        raise invalid(option, f"is {seconds:g} s; it must be {f'at least {least:g} s' if least else 'more than 0 s'}.")


# Characters that gRPC does not allow in the value of a header.
_UNSENDABLE = re.compile(r"[^\x20-\x7e]")
_HEADER_NAME = re.compile(r"[0-9a-z_.-]+")


def check_token(token: str) -> None:
    """Raise an error for a token that can't be sent.

    The error does not contain the token, which is secret.
    """
    if not token.strip(" "):
        raise invalid("token", "is empty.")
    if found := _UNSENDABLE.search(token):
        where = "a line break" if found[0] in "\r\n" else f"U+{ord(found[0]):04X}"
        raise invalid(
            "token",
            f"contains {where} at position {found.start() + 1}, which a header can't have; was it read from a file?",
        )


def headers(given: Headers) -> list[tuple[str, str]]:
    """Check the metadata of a hook."""
    pairs = list(given.items() if isinstance(given, Mapping) else given)
    for name, value in pairs:
        if not _HEADER_NAME.fullmatch(name) or name.startswith("grpc-"):
            raise invalid(
                "metadata", f"{name!r} is not a valid name; use lower case, digits, _ . and -, and no grpc- prefix."
            )
        if name == "authorization":
            raise invalid("metadata", "use the option token for authorization.")
        if _UNSENDABLE.search(value):
            raise invalid("metadata", f"the value of {name!r} contains a character that a header can't have.")
    return pairs


def bearer(token: str) -> tuple[str, str]:
    check_token(token)
    return ("authorization", f"Bearer {token}")


def source_failed(what: str, error: Exception) -> GatewayError:
    """Return UNAVAILABLE, so that a watch retries: the source of tokens may work again soon."""
    return GatewayError(grpc.StatusCode.UNAVAILABLE, f"Can't get the {what}: {error}")


def _reconnect(connect_timeout: float) -> ChannelOptions:
    check_seconds("connect_timeout", connect_timeout, 0.001)
    timeout_ms = math.ceil(min(connect_timeout, 3600.0) * 1000)
    pause_ms = min(timeout_ms, 10_000) * _RECONNECT_SHARE
    return (
        ("grpc.initial_reconnect_backoff_ms", min(_RECONNECT_INITIAL_MS, max(100, int(pause_ms)))),
        # This is also the timeout of one attempt, from TCP to the first frame of HTTP/2.
        ("grpc.min_reconnect_backoff_ms", timeout_ms),
        ("grpc.max_reconnect_backoff_ms", max(100, int(pause_ms))),
    )


def _credentials(tls: Tls) -> grpc.ChannelCredentials:
    if (tls.cert is None) != (tls.key is None):
        raise invalid("tls", "cert and key belong together; give both or neither.")
    ca = pem.certificates("tls.ca", tls.ca)
    cert = pem.certificates("tls.cert", tls.cert)
    key = pem.private_key("tls.key", tls.key)
    if tls.cert is not None and tls.key is not None:
        pem.check_pair(tls.cert, tls.key)
    return grpc.ssl_channel_credentials(ca, key, cert)
