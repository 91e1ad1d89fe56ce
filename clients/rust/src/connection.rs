use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Request, Response, StatusCode};
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tower_service::Service;

use crate::error::Error;

/// Any error of a token source or a metadata hook.
pub type BoxError = Box<dyn StdError + Send + Sync>;
pub(crate) type Asked = BoxFuture<'static, Result<String, BoxError>>;
pub(crate) type TokenSource = Arc<dyn Fn() -> Asked + Send + Sync>;
pub(crate) type MetadataHook = Arc<dyn Fn(&mut MetadataMap) -> Result<(), BoxError> + Send + Sync>;

/// The connection of a [`Client`](crate::Client), for generated clients such as those of
/// [`v1`](crate::v1). It sends the token, and the metadata of the hook, with each call. Cheap to
/// clone.
#[derive(Clone)]
pub struct Connection {
    pub(crate) channel: Channel,
    pub(crate) token: Option<TokenSource>,
    pub(crate) metadata: Option<MetadataHook>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Service<Request<Body>> for Connection {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // The channel is polled when the token is there.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let Self {
            mut channel,
            token,
            metadata,
        } = self.clone();
        // Called here, in the task of the caller.
        let added = metadata.map_or(Ok(()), |hook| add(&mut request, &*hook));
        Box::pin(async move {
            added?;
            if let Some(token) = token {
                request
                    .headers_mut()
                    .insert(AUTHORIZATION, bearer(token().await)?);
            }
            poll_fn(|cx| channel.poll_ready(cx)).await?;
            let response = channel.call(request).await?;
            foreign(response.status(), response.headers())?;
            Ok(response)
        })
    }
}

/// Maps an answer that is not gRPC, for example from a proxy without a host behind it, as gRPC maps
/// HTTP statuses. tonic would take its text for a broken message.
fn foreign(status: StatusCode, headers: &HeaderMap) -> Result<(), Status> {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if kind.is_some_and(|kind| kind.starts_with(b"application/grpc")) {
        return Ok(());
    }
    let code = match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502..=504 => Code::Unavailable,
        _ => Code::Unknown,
    };
    let message = format!("the answer is not of gRPC: HTTP {status}");
    Err(Status::new(code, message))
}

fn add(
    request: &mut Request<Body>,
    hook: &dyn Fn(&mut MetadataMap) -> Result<(), BoxError>,
) -> Result<(), Status> {
    let mut metadata = MetadataMap::from_headers(std::mem::take(request.headers_mut()));
    let added = hook(&mut metadata);
    *request.headers_mut() = metadata.into_headers();
    added.map_err(|why| Status::unavailable(format!("the hook for metadata failed: {why}")))
}

/// The source of tokens may work again soon, so a watch must not give up.
pub(crate) fn bearer(token: Result<String, BoxError>) -> Result<HeaderValue, Status> {
    let unavailable = |why| Status::unavailable(format!("the token can't be had: {why}"));
    let token = token.map_err(|error| unavailable(error.to_string()))?;
    let token = sendable(token).map_err(|why| unavailable(why.into()))?;
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|error| unavailable(error.to_string()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Checks that a header can hold the token. The error does not contain the token.
pub(crate) fn sendable(token: String) -> Result<String, &'static str> {
    if token.is_empty() {
        return Err("it is empty");
    }
    if token.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Ok(token);
    }
    Err("it has a character that no header can hold, such as the end of a line; trim it")
}

/// The host takes a longer deadline for one that has passed.
const DEADLINE_MAX: Duration = Duration::from_secs(24 * 24 * 3600);

/// Makes a unary call. Without a timeout it has no deadline.
pub(crate) async fn within<Message, Answer, Call>(
    timeout: Option<Duration>,
    message: Message,
    call: impl FnOnce(tonic::Request<Message>) -> Call,
) -> Result<Answer, Error>
where
    Call: Future<Output = Result<tonic::Response<Answer>, Status>>,
{
    let mut request = tonic::Request::new(message);
    let Some(timeout) = timeout.filter(|timeout| *timeout < DEADLINE_MAX) else {
        return Ok(call(request).await?.into_inner());
    };
    request.set_timeout(timeout);
    // tonic's own timer starts when there is a connection, and stops when the answer begins.
    match tokio::time::timeout(timeout, call(request)).await {
        Ok(answer) => Ok(answer?.into_inner()),
        Err(_) => Err(Error::new(
            Code::DeadlineExceeded,
            format!("no answer within {timeout:?}"),
        )),
    }
}

/// A duration that is too long for the wire is also too long for the host, which refuses it.
pub(crate) fn wire(duration: Duration) -> prost_types::Duration {
    let longest = prost_types::Duration {
        seconds: i64::MAX,
        nanos: 0,
    };
    duration.try_into().unwrap_or(longest)
}

#[cfg(test)]
mod tests;
