use std::path::PathBuf;
use std::process::Command;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::*;
use crate::client::Client;

/// A TLS of which no host is right.
pub(crate) fn trusting_nobody() -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth()
}

/// A folder of its own for each test; removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wfd-tls-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// False where this machine has no openssl.
    fn openssl(&self, line: &str) -> bool {
        let made = Command::new("openssl")
            .args(line.split_ascii_whitespace())
            .current_dir(&self.0)
            .output();
        match made {
            Ok(output) => {
                let told = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "openssl {line}: {told}");
                true
            }
            Err(_) => false,
        }
    }

    /// A certificate that is signed by its own key, with these extensions.
    fn self_signed(&self, name: &str, days: &str, extensions: &str) -> bool {
        let subject = if name == "ca" {
            "Authority"
        } else {
            "localhost"
        };
        self.openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout {name}.key -out {name}.pem {days} -subj /CN={subject} -addext subjectAltName=DNS:localhost {extensions}"
        ))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Serves one TLS handshake after another with this certificate; what it says of each.
async fn serve(folder: &Folder, name: &str) -> (String, JoinHandle<()>) {
    let chain = certificates(&folder.path(&format!("{name}.pem"))).expect("a chain");
    let key = private_key(&folder.path(&format!("{name}.key"))).expect("a key");
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a pair");
    config.alpn_protocols.push(b"h2".into());
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("it listens");
    let port = listener.local_addr().expect("an address").port();
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // It ends the connection after the handshake.
            let _ = acceptor.accept(stream).await;
        }
    });
    (format!("localhost:{port}"), serving)
}

/// What a client that trusts this file says of the host.
async fn told(address: &str, trusted: &Path) -> String {
    let client = Client::builder().ca_file(trusted).connect(address);
    let error = client.expect("a client").host().await.unwrap_err();
    error.message().to_owned()
}

const YEAR: &str = "-days 365";

#[tokio::test]
async fn a_host_is_known_by_its_own_certificate() {
    let folder = Folder::new("own");
    if !folder.self_signed(
        "authority",
        YEAR,
        "-addext basicConstraints=critical,CA:TRUE",
    ) {
        return;
    }
    folder.self_signed("other", YEAR, "-addext basicConstraints=critical,CA:TRUE");
    for name in ["authority", "other"] {
        let (address, _serving) = serve(&folder, name).await;
        let trusted = folder.path(&format!("{name}.pem"));
        let said = told(&address, &trusted).await;
        assert!(!said.contains("certificate"), "{said}");
        let said = told(&address, &folder.path("authority.pem")).await;
        assert_eq!(said.contains("certificate"), name == "other", "{said}");
    }
}

#[tokio::test]
async fn a_leaf_alone_is_trusted_and_a_stranger_is_told_what_to_do() {
    let folder = Folder::new("leaf");
    if !folder.self_signed("ca", YEAR, "") {
        return;
    }
    let request = "req -new -newkey rsa:2048 -noenc -keyout leaf.key -out leaf.csr -subj /CN=localhost -addext subjectAltName=DNS:localhost";
    folder.openssl(request);
    folder.openssl("x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -copy_extensions copy -days 9 -out leaf.pem");
    folder.self_signed("stranger", YEAR, "");
    let (address, _serving) = serve(&folder, "leaf").await;
    for trusted in ["leaf.pem", "ca.pem"] {
        let said = told(&address, &folder.path(trusted)).await;
        assert!(!said.contains("certificate"), "{trusted}: {said}");
    }
    let said = told(&address, &folder.path("stranger.pem")).await;
    assert!(
        said.contains("give its authority, or the certificate itself"),
        "{said}"
    );
}

#[tokio::test]
async fn a_trusted_certificate_is_still_held_to_its_name_and_its_time() {
    let folder = Folder::new("judged");
    if !folder.self_signed("good", YEAR, "-addext basicConstraints=critical,CA:TRUE") {
        return;
    }
    let (address, _serving) = serve(&folder, "good").await;
    let by_number = address.replace("localhost", "127.0.0.1");
    let said = told(&by_number, &folder.path("good.pem")).await;
    assert!(said.contains("not valid for name"), "{said}");
    folder.openssl("req -new -key good.key -subj /CN=localhost -out old.csr -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:TRUE");
    // One that ended before it began is past its time at any time.
    fs::copy(folder.path("good.key"), folder.path("old.key")).expect("a copy");
    folder.openssl(
        "x509 -req -in old.csr -signkey good.key -copy_extensions copy -days -1 -out old.pem",
    );
    let (address, _serving) = serve(&folder, "old").await;
    let said = told(&address, &folder.path("old.pem")).await;
    assert!(said.contains("Expired"), "{said}");
}

#[test]
fn keys_are_taken_as_people_have_them() {
    let folder = Folder::new("keys");
    if !folder.openssl("ecparam -name prime256v1 -genkey -out sec1.key") {
        return;
    }
    folder.openssl("genrsa -traditional -out pkcs1.key 2048");
    folder.openssl("genpkey -algorithm ed25519 -out ed25519.key");
    for name in ["sec1", "pkcs1", "ed25519"] {
        let key = format!("{name}.key");
        let pem = fs::read_to_string(folder.path(&key)).expect("a key");
        assert_eq!(pem.contains("EC PARAMETERS"), name == "sec1");
        let request = format!("req -x509 -key {key} -out {name}.pem -days 9 -subj /CN=agent");
        folder.openssl(&request);
        let tls = Tls {
            ca_file: Some(folder.path("sec1.pem")),
            identity_files: Some((folder.path(&format!("{name}.pem")), folder.path(&key))),
            ..Tls::default()
        };
        tls.load().expect("it can be used");
    }
    let swapped = Tls {
        ca_file: Some(folder.path("sec1.pem")),
        identity_files: Some((folder.path("sec1.pem"), folder.path("pkcs1.key"))),
        ..Tls::default()
    };
    let error = swapped.load().unwrap_err();
    assert!(
        error.message().contains("do they belong together"),
        "{error}"
    );
}

#[test]
fn a_key_with_a_password_is_told_from_none() {
    let folder = Folder::new("password");
    if !folder.openssl("genpkey -algorithm ed25519 -aes256 -pass pass:secret -out locked.key") {
        return;
    }
    let error = private_key(&folder.path("locked.key")).unwrap_err();
    assert!(error.message().contains("openssl pkey -in"), "{error}");
    let certificate = private_key(Path::new("LICENSE")).unwrap_err();
    assert_eq!(certificate.message(), "LICENSE holds no private key");
}
