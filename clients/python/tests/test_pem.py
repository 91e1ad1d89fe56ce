"""Keys and certificates as people make them with openssl: they work, or an error says what to do."""

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Queue
from socket import create_server
from threading import Thread

import pytest

from wifidirect_gateway import Client, GatewayError, Tls, connect

CA = 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=The CA"'
SELF = 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=localhost"'
COMMANDS = f"""
{CA} -addext keyUsage=keyCertSign -keyout ca.key -out ca.pem
{CA} -addext keyUsage=keyCertSign -keyout other.key -out other.pem
printf 'subjectAltName=DNS:localhost\\nextendedKeyUsage=serverAuth,clientAuth\\n' >leaf.ext
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out pkcs8.key
openssl genrsa -traditional -out pkcs1.key 2048
openssl ecparam -name prime256v1 -genkey -out ecparam.key
openssl ec -in ecparam.key -out sec1.key
openssl genpkey -algorithm ed25519 -out ed25519.key
openssl pkcs8 -topk8 -in pkcs8.key -passout pass:secret -out encrypted.key
openssl rsa -in pkcs1.key -traditional -aes128 -passout pass:secret -out old-encrypted.key
openssl x509 -in ca.pem -outform DER -out ca.der
cat other.pem ca.pem >both.pem
cat ca.pem other.pem >other-way-round.pem
sed 's/^MII/MI!/' ca.pem >damaged.pem
{SELF} -addext subjectAltName=DNS:localhost -keyout self.key -out self.pem
{SELF} -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE -keyout leaf.key -out leaf.pem
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    folder = tmp_path_factory.mktemp("certificates")
    sign = "openssl x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile leaf.ext -out"
    signing = [
        f"openssl req -new -key {name}.key -subj /CN={name} | {sign} {name}.pem"
        for name in ("pkcs8", "pkcs1", "ecparam", "sec1", "ed25519")
    ]
    for command in [*COMMANDS.strip().splitlines(), *signing]:
        subprocess.run(command, shell=True, cwd=folder, check=True, capture_output=True)
    return folder


@contextmanager
def shaking_hands(folder: Path, name: str) -> Iterator[tuple[str, Queue[str]]]:
    """Serve TLS with this certificate, and no more; tell the address, and the names of those who came."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    context.load_verify_locations(folder / "ca.pem")
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["h2"])
    came: Queue[str] = Queue()
    with create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    with server.accept()[0] as raw, context.wrap_socket(raw, server_side=True) as secure:
                        own = secure.getpeercert() or {}
                        came.put(str(own["subject"][0][0][1]) if own else "nobody")
                except ssl.SSLError as error:
                    came.put(error.reason)
                except OSError:
                    return

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"localhost:{server.getsockname()[1]}", came


TAKEN = {
    "PKCS#8": ("pkcs8", "ca", "pkcs8"),
    "PKCS#1": ("pkcs1", "ca", "pkcs1"),
    "SEC1": ("sec1", "ca", "sec1"),
    "EC PARAMETERS first": ("ecparam", "ca", "ecparam"),
    "Ed25519 of the client": ("pkcs8", "ca", "ed25519"),
    "self-signed, CA:TRUE": ("self", "self", None),
    "self-signed, CA:FALSE": ("leaf", "leaf", None),
    "the host's own, alone": ("pkcs8", "pkcs8", None),
    "two authorities of one name": ("pkcs8", "both", None),
    "two authorities, the other way round": ("pkcs8", "other-way-round", None),
}


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize(("host", "ca", "own"), TAKEN.values(), ids=TAKEN)
def test_they_are_taken_as_people_have_them(
    folder: Path, host: str, ca: str, own: str | None, *, as_text: bool
) -> None:
    def file(name: str) -> str | Path:
        path = folder / name
        return path.read_text() if as_text else path

    tls = Tls(ca=file(f"{ca}.pem"))
    if own is not None:
        tls = Tls(ca=tls.ca, cert=file(f"{own}.pem"), key=file(f"{own}.key"))
    with shaking_hands(folder, host) as (address, came), connect(address, tls=tls, timeout=30) as client:
        asking = Thread(target=ask, args=(client,))
        asking.start()
        assert came.get(timeout=30) == (own or "nobody")
        client.close()
        asking.join()


def ask(client: Client) -> None:
    """In vain: who shakes hands here says no more."""
    with suppress(GatewayError):
        client.host()


def test_what_can_not_be_is_explained(folder: Path) -> None:
    for host, ca, told in (
        ("ed25519", "ca", "a host with an Ed25519 certificate needs one with ECDSA or RSA"),
        ("pkcs8", "other", "not signed by a CA of tls.ca"),
    ):
        tls = Tls(ca=folder / f"{ca}.pem")
        with (
            shaking_hands(folder, host) as (address, _),
            connect(address, tls=tls) as client,
            pytest.raises(GatewayError, match=f"UNAVAILABLE: .*{told}"),
        ):
            client.host()


REFUSED = {
    "no file": ({"ca": "no-such.pem"}, r"tls\.ca: can't read .*no-such\.pem: No such file"),
    "a key for a certificate": ({"ca": "pkcs8.key"}, r"tls\.ca: contains no certificate, but PRIVATE KEY"),
    "DER": ({"ca": "ca.der"}, r"tls\.ca: is binary.*openssl x509 -inform DER"),
    "no PEM": ({"ca": "leaf.ext"}, r"tls\.ca: is not PEM"),
    "damaged": ({"ca": "damaged.pem"}, r"tls\.ca: .* its base64 is invalid"),
    "no key": ({"cert": "pkcs8.pem"}, "tls: cert and key belong together"),
    "no certificate": ({"key": "pkcs8.key"}, "tls: cert and key belong together"),
    "another's key": ({"cert": "pkcs8.pem", "key": "sec1.key"}, r"tls\.key: .*sec1\.key is not the key of"),
    "swapped": ({"cert": "pkcs8.key", "key": "pkcs8.pem"}, r"tls\.cert: contains no certificate"),
    "a certificate for a key": ({"cert": "pkcs8.pem", "key": "pkcs8.pem"}, r"tls\.key: contains no private key"),
    "encrypted": ({"cert": "pkcs8.pem", "key": "encrypted.key"}, r"tls\.key: is encrypted.*openssl pkey"),
    "encrypted, PKCS#1": ({"cert": "pkcs1.pem", "key": "old-encrypted.key"}, r"tls\.key: is encrypted"),
}


@pytest.mark.parametrize(("files", "told"), REFUSED.values(), ids=REFUSED)
def test_what_can_not_be_used_is_refused_with_what_to_do(folder: Path, files: dict[str, str], told: str) -> None:
    tls = Tls(**{option: folder / name for option, name in files.items()})  # type: ignore[arg-type]
    with pytest.raises(GatewayError, match=f"INVALID_ARGUMENT: {told}"):
        connect("localhost:1", tls=tls)


def test_keys_in_memory_that_do_not_belong_together_are_explained(folder: Path) -> None:
    tls = Tls(cert=(folder / "pkcs8.pem").read_bytes(), key=(folder / "sec1.key").read_bytes())
    with (
        shaking_hands(folder, "pkcs8") as (address, _),
        connect(address, tls=tls) as client,
        pytest.raises(GatewayError, match="tls: cert and key don't belong together"),
    ):
        client.host()


def test_a_path_that_is_given_as_text_is_told(folder: Path) -> None:
    with pytest.raises(
        GatewayError, match=r"tls\.ca: is text, but not PEM; use a pathlib\.Path for the path of a file"
    ):
        connect("localhost:1", tls=Tls(ca=str(folder / "ca.pem")))
