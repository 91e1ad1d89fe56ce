use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::stream::{BoxStream, Stream};
use futures_util::stream::{self, StreamExt};
use prost_types::Timestamp;
use tokio::time::{Sleep, sleep};
use tonic::{Code, Status};

use crate::error::Error;
use crate::sessions::{OpenRequest, Sessions, lease_left};
use crate::v1::{OpenSessionResponse, Session, SessionEvent, SessionState};
use crate::watch::{silence_max, silent};

/// A session, and the stream that keeps it. A session without a lease ends when this is dropped.
///
/// As a [`Stream`], it yields the events that were not returned yet. It ends after CLOSED, and
/// after a CANCELLED that was requested. After any other end it yields an error, once the last
/// event has been returned.
#[must_use = "a session without a lease ends when this is dropped"]
pub struct HeldSession {
    id: String,
    sessions: Sessions,
    stream: BoxStream<'static, Result<OpenSessionResponse, Status>>,
    /// Read ahead, and not returned yet.
    next: Option<SessionEvent>,
    /// As of the last event that was returned.
    session: Session,
    /// How the stream has ended.
    end: Option<Result<(), Error>>,
    /// The time of the host in its last message.
    host_time: Option<Timestamp>,
    silence: Silence,
}

/// How long the stream can be silent. It is measured while a caller waits.
struct Silence {
    /// None means without limit.
    max: Option<Duration>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Silence {
    /// Ready when the silence has lasted too long.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let Some(max) = self.max else {
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(max)));
        timer.as_mut().poll(cx).map(|()| silent(max))
    }

    /// A host that sends no time sends no heartbeats either, so its silence means nothing.
    fn broken_by(&mut self, response: &OpenSessionResponse) {
        self.timer = None;
        if response.host_time.is_none() {
            self.max = None;
        }
    }
}

// Here and not in `sessions`, because this module depends on `sessions`.
#[allow(clippy::missing_errors_doc)] // The contract says what the call fails with.
impl Sessions {
    /// Opens a session, or attaches to the session that the same `request_id` has opened. Returns
    /// when the host has accepted the request, which is before the session is open: see
    /// [`HeldSession::wait_open`]. The call has no deadline, but it fails if the host is silent for
    /// three heartbeat intervals.
    pub async fn open(&self, request: impl Into<OpenRequest>) -> Result<HeldSession, Error> {
        let request = request.into();
        let silence_max = request.heartbeat_interval.map(silence_max);
        HeldSession::hold(self.clone(), self.open_stream(request), silence_max).await
    }
}

impl HeldSession {
    pub(crate) async fn hold(
        sessions: Sessions,
        stream: BoxStream<'static, Result<OpenSessionResponse, Status>>,
        silence_max: Option<Duration>,
    ) -> Result<Self, Error> {
        let mut held = Self {
            id: String::new(),
            sessions,
            stream,
            next: None,
            session: Session::default(),
            end: None,
            host_time: None,
            silence: Silence {
                max: silence_max,
                timer: None,
            },
        };
        let Some(first) = poll_fn(|cx| held.poll_event(cx)).await.transpose()? else {
            return Err(Error::new(
                Code::Internal,
                "the host ended the stream without an event",
            ));
        };
        let Some(session) = &first.session else {
            return Err(Error::new(
                Code::Internal,
                "the host's event has no session",
            ));
        };
        held.id.clone_from(&session.session_id);
        held.next = Some(first);
        Ok(held)
    }

    /// Returns the id of the session.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Skips events until the session is OPEN, and returns it.
    ///
    /// # Errors
    ///
    /// The error of the stream if the session ends before; [`Code::Cancelled`] if the stream ended
    /// without an error.
    pub async fn wait_open(&mut self) -> Result<Session, Error> {
        while self.session.state() != SessionState::Open {
            if self.next().await.transpose()?.is_none() {
                self.end.clone().transpose()?;
                return Err(Error::new(
                    Code::Cancelled,
                    "the session ended before it was open",
                ));
            }
        }
        Ok(self.session.clone())
    }

    /// Returns how long the lease has left, according to the last event that was returned and the
    /// time of the host in its last message. None if the session has no lease, or if the host does
    /// not send its time.
    #[must_use]
    pub fn lease_left(&self) -> Option<Duration> {
        lease_left(&self.session, self.host_time.as_ref())
    }

    /// Closes the session, or cancels it while it is opening, and returns it when it has ended. The
    /// last events can still be read, even meanwhile.
    ///
    /// # Errors
    ///
    /// The errors of `CloseSession`.
    pub fn close(&self) -> impl Future<Output = Result<Session, Error>> + Send + use<> {
        let (sessions, id) = (self.sessions.clone(), self.id.clone());
        async move { Ok(sessions.close_and_wait(&id).await?.session) }
    }

    /// Ends the stream, like dropping it. A session without a lease then ends too.
    pub fn detach(self) {}
}

impl HeldSession {
    /// The next event of the stream. Heartbeats are skipped.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<SessionEvent, Error>>> {
        while self.end.is_none() {
            let end = match self.stream.poll_next_unpin(cx) {
                Poll::Ready(Some(Ok(response))) => {
                    self.silence.broken_by(&response);
                    self.host_time = response.host_time;
                    match response.event {
                        Some(event) => return Poll::Ready(Some(Ok(event))),
                        None => continue,
                    }
                }
                Poll::Ready(Some(Err(status))) => Err(Error::from(status)),
                Poll::Ready(None) => Ok(()),
                Poll::Pending => Err(ready!(self.silence.poll(cx))),
            };
            self.stream = stream::empty().boxed();
            self.end = Some(end.clone());
            if let Err(error) = end {
                return Poll::Ready(Some(Err(error)));
            }
        }
        Poll::Ready(None)
    }
}

impl Stream for HeldSession {
    type Item = Result<SessionEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let event = match self.next.take() {
            Some(event) => event,
            None => match ready!(self.poll_event(cx)) {
                Some(Ok(event)) => event,
                other => return Poll::Ready(other),
            },
        };
        self.session = event.session.clone().unwrap_or_default();
        Poll::Ready(Some(Ok(event)))
    }
}

impl fmt::Debug for HeldSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldSession")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
