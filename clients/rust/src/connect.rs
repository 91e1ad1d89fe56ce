use std::fmt;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use tonic::Code;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use crate::client::Client;
use crate::connection::{BoxError, Connection, TokenSource};
use crate::error::Error;

const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A host that vanished without a word is noticed within 30 s: watches have no deadline that tells.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// How to connect; what is not said is as [`Client::connect`] has it. See [`Client::builder`].
#[must_use]
pub struct Builder {
    tls: Option<Tls>,
    clear_text: bool,
    token: Option<TokenSource>,
    timeout: Option<Duration>,
    configure: Box<dyn FnOnce(Endpoint) -> Endpoint + Send>,
}

#[derive(Default)]
struct Tls {
    config: Option<ClientTlsConfig>,
    ca_file: Option<PathBuf>,
    identity_files: Option<(PathBuf, PathBuf)>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            tls: None,
            clear_text: false,
            token: None,
            timeout: Some(TIMEOUT_DEFAULT),
            configure: Box::new(|endpoint| endpoint),
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}

impl Builder {
    /// Goes by TLS, and trusts the authorities of this PEM file instead of the system's.
    pub fn ca_file(mut self, path: impl AsRef<Path>) -> Self {
        self.tls.get_or_insert_default().ca_file = Some(path.as_ref().into());
        self
    }

    /// Goes by TLS, and shows the client's own certificate (mTLS): PEM files of it with its chain, and
    /// of its key.
    pub fn identity_files(mut self, certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        let files = (certificate.as_ref().into(), key.as_ref().into());
        self.tls.get_or_insert_default().identity_files = Some(files);
        self
    }

    /// Goes by TLS, as this says. It trusts nobody unless it says so.
    pub fn tls(mut self, config: ClientTlsConfig) -> Self {
        self.tls.get_or_insert_default().config = Some(config);
        self
    }

    /// Goes without TLS, also to another machine: for laboratories.
    pub fn clear_text(mut self) -> Self {
        (self.tls, self.clear_text) = (None, true);
        self
    }

    /// Sends this bearer token with each call; refused in clear text to another machine.
    pub fn token(self, token: impl Into<String>) -> Self {
        let token = token.into();
        self.token_source(move || std::future::ready(Ok::<_, BoxError>(token.clone())))
    }

    /// As [`Builder::token`], for tokens that change: it is asked at each call.
    pub fn token_source<Asking, E>(
        mut self,
        source: impl Fn() -> Asking + Send + Sync + 'static,
    ) -> Self
    where
        Asking: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.token = Some(Arc::new(move || {
            let asking = source();
            Box::pin(async move { asking.await.map_err(Into::into) })
        }));
        self
    }

    /// Bounds unary calls; None: as long as they take. Default 10 s.
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.timeout = timeout.into();
        self
    }

    /// Has the last word on the endpoint: window sizes, keepalive and the like.
    pub fn configure(
        mut self,
        configure: impl FnOnce(Endpoint) -> Endpoint + Send + 'static,
    ) -> Self {
        self.configure = Box::new(configure);
        self
    }

    /// Makes the client, as [`Client::connect`] does.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidArgument`] where the address or the options can't be right: a file that can't be
    /// used, a token in clear text to another machine.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub fn connect(self, address: &str) -> Result<Client, Error> {
        let Self {
            tls,
            clear_text,
            token,
            timeout,
            configure,
        } = self;
        let place = Place::of(address)?;
        let tls = tls.or_else(|| (!place.is_local && !clear_text).then(Tls::default));
        if token.is_some() && tls.is_none() && !place.is_local {
            // The rule that must not be broken: no credential leaves in clear text, but to this machine itself.
            return Err(invalid(format!(
                "the token would reach {address} in clear text; use TLS"
            )));
        }
        let mut endpoint = place.endpoint(tls.is_some())?;
        if let Some(tls) = tls {
            endpoint = endpoint.tls_config(tls.load()?).map_err(|error| {
                invalid(format!(
                    "TLS can't be used as asked for: {}",
                    root_cause(&error)
                ))
            })?;
        }
        let endpoint = endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT);
        let channel = configure(endpoint).connect_lazy();
        Ok(Client {
            connection: Connection { channel, token },
            timeout,
        })
    }
}

impl Tls {
    fn load(self) -> Result<ClientTlsConfig, Error> {
        let isolated = self.config.is_some() || self.ca_file.is_some();
        let mut config = self.config.unwrap_or_default();
        if !isolated {
            config = config.with_native_roots();
        }
        if let Some(path) = self.ca_file {
            let pem = read(&path)?;
            if !pem.contains("-----BEGIN CERTIFICATE-----") {
                return Err(invalid(format!("{} holds no certificate", path.display())));
            }
            config = config.ca_certificate(Certificate::from_pem(pem));
        }
        if let Some((certificate, key)) = self.identity_files {
            config = config.identity(Identity::from_pem(read(&certificate)?, read(&key)?));
        }
        Ok(config)
    }
}

struct Place<'a> {
    address: &'a str,
    is_unix: bool,
    is_local: bool,
}

impl<'a> Place<'a> {
    fn of(address: &'a str) -> Result<Self, Error> {
        if address.starts_with("unix:/") {
            return Ok(Self {
                address,
                is_unix: true,
                is_local: true,
            });
        }
        let uri = format!("http://{address}").parse::<Uri>().ok();
        // Nothing but a host and a port: what is judged here must be what is connected to.
        let authority = uri.as_ref().and_then(Uri::authority).filter(|authority| {
            authority.as_str() == address && authority.port().is_some() && !address.contains('@')
        });
        let Some(authority) = authority else {
            return Err(invalid(format!(
                "{address:?} is neither \"host:port\" nor \"unix:/path\""
            )));
        };
        let host = authority.host();
        let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
        let is_local =
            host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback());
        Ok(Self {
            address,
            is_unix: false,
            is_local,
        })
    }

    fn endpoint(&self, is_secure: bool) -> Result<Endpoint, Error> {
        let address = self.address;
        Endpoint::from_shared(match (self.is_unix, is_secure) {
            (true, _) => address.to_owned(),
            (false, false) => format!("http://{address}"),
            (false, true) => format!("https://{address}"),
        })
        .map_err(|error| invalid(format!("{address:?}: {}", root_cause(&error))))
    }
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| invalid(format!("{}: {error}", path.display())))
}

fn invalid(message: String) -> Error {
    Error::new(Code::InvalidArgument, message)
}

fn root_cause(error: &dyn std::error::Error) -> &dyn std::error::Error {
    error.source().map_or(error, root_cause)
}

#[cfg(test)]
mod tests;
