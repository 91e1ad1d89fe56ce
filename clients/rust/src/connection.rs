use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::future::BoxFuture;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{Request, Response};
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tower_service::Service;

use crate::error::Error;

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;
pub(crate) type Asked = BoxFuture<'static, Result<String, BoxError>>;
pub(crate) type TokenSource = Arc<dyn Fn() -> Asked + Send + Sync>;

/// The connection of a [`Client`](crate::Client), for generated clients such as those of
/// [`v1`](crate::v1). It sends the token with each call. Cheap to clone.
#[derive(Clone)]
pub struct Connection {
    pub(crate) channel: Channel,
    pub(crate) token: Option<TokenSource>,
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
        // The channel is asked once the token is there.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let Self { mut channel, token } = self.clone();
        Box::pin(async move {
            if let Some(token) = token {
                request
                    .headers_mut()
                    .insert(AUTHORIZATION, bearer(token().await)?);
            }
            poll_fn(|cx| channel.poll_ready(cx)).await?;
            Ok(channel.call(request).await?)
        })
    }
}

/// Whatever gives tokens may be back soon, so a watch is not to give up.
pub(crate) fn bearer(token: Result<String, BoxError>) -> Result<HeaderValue, Status> {
    let unavailable = |why| Status::unavailable(format!("the token can't be had: {why}"));
    let token = token.map_err(|error| unavailable(error.to_string()))?;
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| unavailable("it has characters that no token has".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The host takes a longer deadline as passed.
const DEADLINE_MAX: Duration = Duration::from_secs(24 * 24 * 3600);

/// Makes a unary call; no timeout: as long as it takes.
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

/// What is too long for the wire is too long for the host, which says so.
pub(crate) fn wire(duration: Duration) -> prost_types::Duration {
    let longest = prost_types::Duration {
        seconds: i64::MAX,
        nanos: 0,
    };
    duration.try_into().unwrap_or(longest)
}

#[cfg(test)]
mod tests;
