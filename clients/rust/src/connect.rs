use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tonic::metadata::MetadataMap;
use tonic::transport::Endpoint;

use crate::client::Client;
use crate::connection::{Connection, MetadataHook, TokenSource, sendable};
use crate::dial::{Dialer, Secure};
use crate::error::{Error, invalid, root_cause};
use crate::tls::Tls;

const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT_MIN: Duration = Duration::from_millis(1);

/// A host that vanishes is noticed within 30 s. Watches have no deadline that would notice it.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// How to connect. The defaults are those of [`Client::connect`]. See [`Client::builder`].
#[must_use]
pub struct Builder {
    tls: Option<Tls>,
    clear_text: bool,
    token: Option<Token>,
    metadata: Option<MetadataHook>,
    timeout: Option<Duration>,
    connect_timeout: Duration,
    configure: Box<dyn FnOnce(Endpoint) -> Endpoint + Send>,
}

enum Token {
    Fixed(String),
    From(TokenSource),
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            tls: None,
            clear_text: false,
            token: None,
            metadata: None,
            timeout: Some(TIMEOUT_DEFAULT),
            connect_timeout: CONNECT_TIMEOUT_DEFAULT,
            configure: Box::new(|endpoint| endpoint),
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}

// Here and not in `client`, because this module depends on `client`.
impl Client {
    /// Creates a client of the host at `host:port` or `unix:/path`: in clear text if that is this
    /// machine, otherwise with TLS and the authorities that the system trusts. Does not wait for
    /// the connection.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidArgument`](crate::Code::InvalidArgument) if the address is invalid.
    ///
    /// # Panics
    ///
    /// Panics outside a Tokio runtime.
    pub fn connect(address: &str) -> Result<Self, Error> {
        Self::builder().connect(address)
    }

    /// Returns a builder, for clients with a token or their own TLS settings.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// Uses TLS, and trusts the certificates of this PEM file instead of the system's. They are
    /// authorities, or the host's own certificate.
    pub fn ca_file(mut self, path: impl AsRef<Path>) -> Self {
        self.tls.get_or_insert_default().ca_file = Some(path.as_ref().into());
        self
    }

    /// Uses TLS with a client certificate (mTLS). The PEM files are the certificate with its chain,
    /// and its key (PKCS#8, PKCS#1 or SEC1, not encrypted).
    pub fn identity_files(mut self, certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        let files = (certificate.as_ref().into(), key.as_ref().into());
        self.tls.get_or_insert_default().identity_files = Some(files);
        self
    }

    /// Uses TLS with this configuration. Can't be combined with the PEM files.
    pub fn tls_config(mut self, config: ClientConfig) -> Self {
        self.tls.get_or_insert_default().config = Some(config);
        self
    }

    /// Uses no TLS, even to another machine. For tests only.
    pub fn clear_text(mut self) -> Self {
        (self.tls, self.clear_text) = (None, true);
        self
    }

    /// Sends this bearer token with each call. Refused if it would be sent in clear text to another
    /// machine.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(Token::Fixed(token.into()));
        self
    }

    /// Like [`Builder::token`], for tokens that change: the function is called for each call. If it
    /// fails, the call fails with `Unavailable`.
    pub fn token_source<Asking, E>(
        mut self,
        source: impl Fn() -> Asking + Send + Sync + 'static,
    ) -> Self
    where
        Asking: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.token = Some(Token::From(Arc::new(move || {
            let asking = source();
            Box::pin(async move { asking.await.map_err(Into::into) })
        })));
        self
    }

    /// Adds metadata to each call, for example a `traceparent`. The function is called for each
    /// call, in the task of the caller, and for each attempt of a watch. If it fails, the call
    /// fails with `Unavailable`.
    ///
    /// ```
    /// use wifi_direct_gateway::{BoxError, Client};
    ///
    /// let builder = Client::builder().metadata(|metadata| {
    ///     metadata.insert("traceparent", current_trace().parse()?);
    ///     Ok::<_, BoxError>(())
    /// });
    /// # let _ = builder;
    /// # fn current_trace() -> String { String::new() }
    /// ```
    pub fn metadata<E>(
        mut self,
        hook: impl Fn(&mut MetadataMap) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.metadata = Some(Arc::new(move |metadata| hook(metadata).map_err(Into::into)));
        self
    }

    /// Sets the timeout of unary calls; None for no timeout. Default: 10 s.
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.timeout = timeout.into();
        self
    }

    /// Sets the time limit of each attempt to connect: TCP, TLS and the first HTTP/2 settings of
    /// the host. At least 1 ms. Default: 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Changes the endpoint after all other options: window sizes, keepalive and the like. Its
    /// settings for connecting are not used.
    pub fn configure(
        mut self,
        configure: impl FnOnce(Endpoint) -> Endpoint + Send + 'static,
    ) -> Self {
        self.configure = Box::new(configure);
        self
    }

    /// Creates the client, like [`Client::connect`].
    ///
    /// # Errors
    ///
    /// [`Code::InvalidArgument`](crate::Code::InvalidArgument) if the address or an option is
    /// invalid: a file that can't be used, a token in clear text to another machine, a timeout of
    /// 0.
    ///
    /// # Panics
    ///
    /// Panics outside a Tokio runtime.
    pub fn connect(mut self, address: &str) -> Result<Client, Error> {
        self.check_times()?;
        let place = Place::of(address)?;
        let tls = self.tls.take();
        let tls = tls.or_else(|| (!place.is_local && !self.clear_text).then(Tls::default));
        if self.token.is_some() && tls.is_none() && !place.is_local {
            // Invariant: no credential is sent in clear text, except to this machine.
            return Err(invalid(format!(
                "the token would reach {address} in clear text; use TLS"
            )));
        }
        let token = self.token.take().map(Token::checked).transpose()?;
        let tls = tls.map(|tls| place.secure(tls)).transpose()?;
        let endpoint = place
            .endpoint(tls.is_some())?
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT);
        let dialer = Dialer {
            address: address.to_owned(),
            unix_path: place.unix_path.map(ToOwned::to_owned),
            tls,
            timeout: self.connect_timeout,
        };
        let channel = (self.configure)(endpoint).connect_with_connector_lazy(dialer);
        Ok(Client {
            connection: Connection {
                channel,
                token,
                metadata: self.metadata,
            },
            timeout: self.timeout,
        })
    }

    fn check_times(&self) -> Result<(), Error> {
        if self.timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(invalid(
                "timeout: must be more than 0; None is no bound".into(),
            ));
        }
        if self.connect_timeout < CONNECT_TIMEOUT_MIN {
            return Err(invalid(format!(
                "connect_timeout: must be {CONNECT_TIMEOUT_MIN:?} or more"
            )));
        }
        Ok(())
    }
}

impl Token {
    fn checked(self) -> Result<TokenSource, Error> {
        match self {
            Self::From(source) => Ok(source),
            Self::Fixed(token) => {
                let token = sendable(token).map_err(|why| invalid(format!("token: {why}")))?;
                Ok(Arc::new(move || {
                    Box::pin(std::future::ready(Ok(token.clone())))
                }))
            }
        }
    }
}

struct Place<'a> {
    address: &'a str,
    /// None means TCP.
    unix_path: Option<&'a str>,
    is_local: bool,
}

impl<'a> Place<'a> {
    fn of(address: &'a str) -> Result<Self, Error> {
        if let Some(path) = address.strip_prefix("unix:")
            && path.starts_with('/')
        {
            return Ok(Self {
                address: "localhost",
                unix_path: Some(path),
                is_local: true,
            });
        }
        if let Some((scheme, rest)) = address.split_once("://") {
            return Err(invalid(format!(
                "the address {address:?} has a scheme, {scheme:?}; write {rest:?}. Whether it is TLS is for other options to say"
            )));
        }
        let uri = format!("http://{address}").parse::<Uri>().ok();
        // Only a host and a port, so that what is checked here is what is connected to.
        let authority = uri.as_ref().and_then(Uri::authority).filter(|authority| {
            authority.as_str() == address
                && authority.port_u16().is_some_and(|port| port > 0)
                && !authority.host().is_empty()
                && !address.contains('@')
        });
        let Some(authority) = authority else {
            return Err(invalid(format!(
                "the address {address:?} is neither \"host:port\" nor \"unix:/path\""
            )));
        };
        let host = authority.host();
        let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
        let is_local =
            host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback());
        Ok(Self {
            address,
            unix_path: None,
            is_local,
        })
    }

    fn secure(&self, tls: Tls) -> Result<Secure, Error> {
        let host = self
            .address
            .rsplit_once(':')
            .map_or(self.address, |it| it.0);
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(|_| invalid(format!("{host:?} is no name that a certificate can have")))?;
        Ok(Secure {
            config: Arc::new(tls.load()?),
            name,
        })
    }

    /// The dialer does TLS. The scheme is only what the host is told.
    fn endpoint(&self, is_secure: bool) -> Result<Endpoint, Error> {
        let address = self.address;
        let unusable = |why: &dyn fmt::Display| invalid(format!("{address:?}: {why}"));
        let scheme = if is_secure { "https" } else { "http" };
        let origin = format!("{scheme}://{address}")
            .parse::<Uri>()
            .map_err(|error| unusable(&error))?;
        let endpoint = Endpoint::from_shared(format!("http://{address}"))
            .map_err(|error| unusable(&root_cause(&error)))?;
        Ok(endpoint.origin(origin))
    }
}

#[cfg(test)]
mod tests;
