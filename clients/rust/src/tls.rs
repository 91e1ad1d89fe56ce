//! TLS from PEM files: the trusted certificates, and the client certificate.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme, client,
};

use crate::error::{Error, invalid};

#[derive(Default)]
pub(crate) struct Tls {
    pub config: Option<ClientConfig>,
    pub ca_file: Option<PathBuf>,
    pub identity_files: Option<(PathBuf, PathBuf)>,
}

impl Tls {
    pub(crate) fn load(self) -> Result<ClientConfig, Error> {
        let mut config = match self.config {
            Some(config) => config,
            None => self.read_files()?,
        };
        if !config.alpn_protocols.iter().any(|name| name == b"h2") {
            config.alpn_protocols.push(b"h2".into());
        }
        Ok(config)
    }

    fn read_files(self) -> Result<ClientConfig, Error> {
        let provider = CryptoProvider::get_default()
            .cloned()
            .unwrap_or_else(|| Arc::new(ring::default_provider()));
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        let builder = match &self.ca_file {
            Some(path) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Trusting::these(
                    certificates(path)?,
                    path,
                    provider,
                )?)),
            None => builder.with_root_certificates(system_roots()?),
        };
        let Some((certificate, key)) = self.identity_files else {
            return Ok(builder.with_no_client_auth());
        };
        if certificate.as_os_str().is_empty() || key.as_os_str().is_empty() {
            return Err(invalid("a certificate and its key go together".into()));
        }
        builder
            .with_client_auth_cert(certificates(&certificate)?, private_key(&key)?)
            .map_err(|error| {
                invalid(format!(
                    "{} and {} can't be used: {error}; do they belong together?",
                    certificate.display(),
                    key.display()
                ))
            })
    }
}

fn unusable(error: impl std::fmt::Display) -> Error {
    invalid(format!("TLS can't be used as asked for: {error}"))
}

fn system_roots() -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(invalid(
            "this system has no certificates to trust; give the host's authority by ca_file".into(),
        ));
    }
    Ok(roots)
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|error| invalid(format!("{}: {error}", path.display())))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    let found =
        read.map_err(|error| invalid(format!("{}: a broken PEM file: {error}", path.display())))?;
    if found.is_empty() {
        return Err(invalid(format!("{} holds no certificate", path.display())));
    }
    Ok(found)
}

/// Reads PKCS#8, PKCS#1 or SEC1. Other sections of the file (`EC PARAMETERS`) are ignored.
fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    let pem = read(path)?;
    if String::from_utf8_lossy(&pem).contains("ENCRYPTED") {
        return Err(invalid(format!(
            "{} is encrypted; decrypt it: openssl pkey -in {0} -out plain.key",
            path.display()
        )));
    }
    PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| invalid(format!("{} holds no private key", path.display())))
}

/// Trusts the certificates of one file, both as authorities and as certificates of hosts. So a
/// self-signed host certificate can be trusted too; webpki accepts only authorities.
#[derive(Debug)]
struct Trusting {
    these: Vec<CertificateDer<'static>>,
    authorities: Arc<WebPkiServerVerifier>,
}

impl Trusting {
    fn these(
        these: Vec<CertificateDer<'static>>,
        path: &Path,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in &these {
            roots.add(certificate.clone()).map_err(|error| {
                invalid(format!(
                    "{} holds a certificate that can't be read: {error}",
                    path.display()
                ))
            })?;
        }
        let authorities =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        Ok(Self {
            these,
            authorities: authorities.map_err(unusable)?,
        })
    }
}

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let by_authority = self.authorities.verify_server_cert(
            end_entity,
            intermediates,
            name,
            ocsp_response,
            now,
        );
        match by_authority {
            // Its validity period has been checked before either error occurs.
            Err(ref error)
                if is_for_want_of_authority(error) && self.these.contains(end_entity) =>
            {
                client::verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.authorities
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.authorities
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

/// No trusted authority has signed it, or it is an authority itself.
fn is_for_want_of_authority(error: &TlsError) -> bool {
    match error {
        TlsError::InvalidCertificate(
            // The second error is for an authority that has the same name as a trusted one.
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) => true,
        TlsError::InvalidCertificate(CertificateError::Other(other)) => {
            // rustls has no error of its own for this.
            other.to_string().contains("CaUsedAsEndEntity")
        }
        _ => false,
    }
}

#[cfg(test)]
pub(crate) mod tests;
