"""Reads keys and certificates. For a format that gRPC can't read, the error says how to convert it.

gRPC reads PEM: certificates, and keys of PKCS#8, PKCS#1 (`RSA PRIVATE KEY`) and SEC1 (`EC PRIVATE
KEY`, also with `EC PARAMETERS` before it). For anything else it only reports "failed to create
security handshaker" at the first call.
"""

from __future__ import annotations

import re
import ssl
from os import PathLike
from pathlib import Path
from typing import TypeAlias

from .errors import invalid

Pem: TypeAlias = str | bytes | PathLike[str]
"""PEM data: a text, bytes, or the path of a file (a pathlib.Path), which is read once."""

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_ENCRYPTED = re.compile(rb"BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: *4, *ENCRYPTED")


def certificates(option: str, pem: Pem | None) -> bytes | None:
    """Read CA certificates, or a certificate with its chain."""
    if pem is None:
        return None
    data = _read(option, pem)
    labels = _labels(option, data)
    if not {"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"}.intersection(labels):
        raise invalid(option, f"contains no certificate, but {_listed(labels)}.")
    for block in _BLOCK.finditer(data):
        try:
            if block[1] == b"CERTIFICATE":
                ssl.PEM_cert_to_DER_cert(block[0].decode("ascii").strip())
        except ValueError as error:
            raise invalid(option, "contains a damaged certificate: its base64 is invalid.") from error
    return data


def private_key(option: str, pem: Pem | None) -> bytes | None:
    """Read a private key."""
    if pem is None:
        return None
    data = _read(option, pem)
    labels = _labels(option, data)
    if _ENCRYPTED.search(data):
        raise invalid(option, "is encrypted; decrypt it: openssl pkey -in KEY -out PLAIN.pem")
    if "OPENSSH PRIVATE KEY" in labels:
        raise invalid(option, "is an OpenSSH key; convert a copy: ssh-keygen -p -N '' -m PKCS8 -f COPY")
    if not any(label.endswith("PRIVATE KEY") for label in labels):
        raise invalid(option, f"contains no private key, but {_listed(labels)}.")
    return data


def check_pair(cert: Pem, key: Pem) -> None:
    """Raise an error if the key belongs to another certificate. Python can only compare files."""
    if isinstance(cert, str | bytes) or isinstance(key, str | bytes):
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(cert, key)
    except ssl.SSLError as error:
        # OpenSSL is stricter than gRPC, for example about key sizes. Only this error occurs in gRPC
        # too.
        if error.reason == "KEY_VALUES_MISMATCH":
            raise invalid("tls.key", f"{key} is not the key of the certificate in {cert}.") from error


def _read(option: str, pem: Pem) -> bytes:
    match pem:
        case bytes():
            return pem
        case str():
            if pem and "\n" not in pem and "-----BEGIN" not in pem:
                raise invalid(option, "is text, but not PEM; use a pathlib.Path for the path of a file.")
            return pem.encode()
    try:
        return Path(pem).read_bytes()
    except OSError as error:
        raise invalid(option, f"can't read {pem}: {error.strerror}.") from error


def _labels(option: str, data: bytes) -> list[str]:
    labels = [block[1].decode("ascii") for block in _BLOCK.finditer(data)]
    if labels:
        return labels
    if data[:1] == b"\x30":
        raise invalid(
            option,
            "is binary, but must be PEM. To convert DER of a certificate: "
            "openssl x509 -inform DER -in FILE -out FILE.pem; "
            "of a key: openssl pkey -inform DER -in FILE -out FILE.pem; "
            "PKCS#12 (.pfx, .p12): openssl pkcs12 -nodes -in FILE -out FILE.pem",
        )
    raise invalid(option, 'is not PEM: it has no "-----BEGIN ...-----" with its END.')


def _listed(labels: list[str]) -> str:
    return ", ".join(dict.fromkeys(labels))
