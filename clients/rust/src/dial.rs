//! One attempt to connect: TCP or a Unix socket, TLS, and the first bytes of the host, all within
//! one time limit.
//!
//! The HTTP/2 layer above uses a connection before the host has sent anything, and it sends
//! keepalive pings only while a call waits. Without the limit, a host that accepts and stays silent
//! would block its connection, and every call on it, forever.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::future::BoxFuture;
use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tower_service::Service;

use crate::connection::BoxError;
use crate::error::root_cause;

const ALPN_HTTP2: &[u8] = b"h2";

/// Any transport of bytes.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The TLS configuration, and the name that the host's certificate must have.
#[derive(Clone)]
pub(crate) struct Secure {
    pub config: Arc<ClientConfig>,
    pub name: ServerName<'static>,
}

/// Connects to one host.
#[derive(Clone)]
pub(crate) struct Dialer {
    /// For people.
    pub address: String,
    /// The path of a Unix socket; None for TCP.
    pub unix_path: Option<String>,
    pub tls: Option<Secure>,
    pub timeout: Duration,
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<Answering>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dialer = self.clone();
        Box::pin(async move {
            let deadline = Instant::now() + dialer.timeout;
            let stream = match timeout_at(deadline, dialer.dial(uri)).await {
                Ok(dialled) => dialled,
                Err(_) => Err(no_answer(dialer.timeout).into()),
            };
            let stream = stream.map_err(|cause| Failed {
                address: dialer.address,
                cause,
            })?;
            Ok(TokioIo::new(Answering {
                stream,
                deadline: Some(Box::pin(sleep_until(deadline))),
                timeout: dialer.timeout,
            }))
        })
    }
}

impl Dialer {
    async fn dial(&self, uri: Uri) -> Result<Box<dyn Stream>, BoxError> {
        let stream = match &self.unix_path {
            Some(path) => unix(path).await?,
            None => tcp(uri).await?,
        };
        let Some(Secure { config, name }) = self.tls.clone() else {
            return Ok(stream);
        };
        let secure = TlsConnector::from(config).connect(name, stream).await?;
        if secure.get_ref().1.alpn_protocol() != Some(ALPN_HTTP2) {
            return Err("the host speaks TLS, but not HTTP/2 (no ALPN protocol \"h2\")".into());
        }
        Ok(Box::new(secure))
    }
}

async fn tcp(uri: Uri) -> Result<Box<dyn Stream>, BoxError> {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    Ok(Box::new(connector.call(uri).await?.into_inner()))
}

#[cfg(unix)]
async fn unix(path: &str) -> Result<Box<dyn Stream>, BoxError> {
    Ok(Box::new(tokio::net::UnixStream::connect(path).await?))
}

#[cfg(not(unix))]
async fn unix(_: &str) -> Result<Box<dyn Stream>, BoxError> {
    Err("this platform has no Unix sockets".into())
}

/// Why there is no connection, in one line.
#[derive(Debug)]
struct Failed {
    address: String,
    cause: BoxError,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = root_cause(&*self.cause).to_string();
        write!(f, "can't connect to {}: {cause}", self.address)?;
        if cause.contains("UnknownIssuer") {
            f.write_str(UNTRUSTED)?;
        }
        Ok(())
    }
}

/// The remedy.
const UNTRUSTED: &str = " (nobody who is trusted has signed the host's certificate: give its \
                         authority, or the certificate itself, by ca_file)";

impl StdError for Failed {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.cause)
    }
}

fn no_answer(timeout: Duration) -> io::Error {
    let message = format!("no answer within {timeout:?}");
    io::Error::new(io::ErrorKind::TimedOut, message)
}

/// A connection on which the host must send something (its HTTP/2 settings) before a deadline.
pub(crate) struct Answering {
    stream: Box<dyn Stream>,
    /// None when the host has sent something.
    deadline: Option<Pin<Box<Sleep>>>,
    timeout: Duration,
}

impl AsyncRead for Answering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if read.is_ready() {
            self.deadline = None;
        } else if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(no_answer(self.timeout)));
        }
        read
    }
}

impl AsyncWrite for Answering {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests;
