"""How to connect: address, TLS and credentials in, what gRPC takes out.

The rule that must not be broken: no credential leaves in clear text, but to this machine itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import grpc

from .errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Sequence

Pem: TypeAlias = str | bytes | PathLike[str]
"""PEM: its text or bytes, or the path of the file that holds it (a pathlib.Path; read once)."""

ChannelOptions: TypeAlias = "Sequence[tuple[str, Any]]"

TIMEOUT_DEFAULT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """What TLS trusts and shows."""

    ca: Pem | None = None
    """Certificates of the authorities that may have signed the host's. Default: those that gRPC trusts."""

    cert: Pem | None = None
    """The client's own certificate, with its chain, for mTLS; needs `key`."""

    key: Pem | None = None
    """The private key of `cert`."""

    server_name: str | None = None
    """The name to look for in the host's certificate, where it is not the one in the address."""


class Target(NamedTuple):
    """A channel to be made: without credentials it is in clear text."""

    credentials: grpc.ChannelCredentials | None
    options: ChannelOptions


# A host that vanished without a word is noticed within 30 s: watches have no deadline that would tell.
_KEEPALIVE: ChannelOptions = (
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
)

# Calls fail at once while the channel waits to reconnect, so it must not wait longer than a watch does.
_RECONNECT: ChannelOptions = (
    ("grpc.initial_reconnect_backoff_ms", 250),
    ("grpc.min_reconnect_backoff_ms", 250),
    ("grpc.max_reconnect_backoff_ms", 10_000),
)

_THIS_MACHINE = re.compile(r"unix:.*|((dns|ipv4|ipv6):(///)?)?((localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?|::1)")


def resolve(address: str, *, tls: bool | Tls | None, has_token: bool, options: ChannelOptions) -> Target:
    """Choose how to reach the address; `options` win over what this package sets."""
    is_local = _THIS_MACHINE.fullmatch(address) is not None
    is_secure = not is_local if tls is None else tls is not False
    if has_token and not is_secure and not is_local:
        raise _invalid("token", f"would reach {address} in clear text; use TLS.")
    own: list[tuple[str, Any]] = [*_KEEPALIVE, *_RECONNECT]
    if is_local:
        own.append(("grpc.enable_http_proxy", 0))
    if isinstance(tls, Tls) and tls.server_name is not None:
        own.append(("grpc.ssl_target_name_override", tls.server_name))
    credentials = _credentials(tls if isinstance(tls, Tls) else Tls()) if is_secure else None
    return Target(credentials, [*own, *options])


def no_token(error: Exception) -> GatewayError:
    """Make what a call fails with; not fatal to a watch, as whatever gives tokens may be back soon."""
    return GatewayError(grpc.StatusCode.UNAVAILABLE, f"The token can't be had: {error}")


def _credentials(tls: Tls) -> grpc.ChannelCredentials:
    if (tls.cert is None) != (tls.key is None):
        raise _invalid("tls", "cert and key go together.")
    return grpc.ssl_channel_credentials(_read("tls.ca", tls.ca), _read("tls.key", tls.key), _read("tls.cert", tls.cert))


def _read(option: str, pem: Pem | None) -> bytes | None:
    match pem:
        case None | bytes():
            return pem
        case str():
            return pem.encode()
    try:
        return Path(pem).read_bytes()
    except OSError as error:
        raise _invalid(option, f"can't read {pem}") from error


def _invalid(option: str, description: str) -> GatewayError:
    return GatewayError(grpc.StatusCode.INVALID_ARGUMENT, f"{option}: {description}")
