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

/// A session and the stream that holds it: without a lease, the session ends when this is dropped.
///
/// As a [`Stream`], it is the events that were not given out yet, as they come. It ends after
/// CLOSED, and after a CANCELLED that was asked for; else with an error, after the last event.
#[must_use = "a session without a lease ends when this is dropped"]
pub struct HeldSession {
    id: String,
    sessions: Sessions,
    stream: BoxStream<'static, Result<OpenSessionResponse, Status>>,
    /// Read ahead, and not given out yet.
    next: Option<SessionEvent>,
    /// As of the last event that was given out.
    session: Session,
    /// What the stream has ended with.
    end: Option<Result<(), Error>>,
    /// The host's clock, by its last message.
    host_time: Option<Timestamp>,
    silence: Silence,
}

/// How long the stream may say nothing; it is measured while somebody waits for it.
struct Silence {
    /// None: for ever.
    max: Option<Duration>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Silence {
    /// Ready where it has lasted too long.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let Some(max) = self.max else {
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(max)));
        timer.as_mut().poll(cx).map(|()| silent(max))
    }

    /// A host that knows no signs of life doesn't tell its time either: it may be silent for ever.
    fn broken_by(&mut self, response: &OpenSessionResponse) {
        self.timer = None;
        if response.host_time.is_none() {
            self.max = None;
        }
    }
}

// Here and not in `sessions`: a held session needs `Sessions`, which must not need it in turn.
#[allow(clippy::missing_errors_doc)] // The contract says what the call fails with.
impl Sessions {
    /// Opens a session, or attaches to the one that the same `request_id` has made. Answers when
    /// the host has accepted, not when the session is open: see [`HeldSession::wait_open`]. It has
    /// no deadline, but fails if the host says nothing for three heartbeat intervals.
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

    /// The name of the session.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Passes over events until the session is OPEN, and answers with it.
    ///
    /// # Errors
    ///
    /// What the stream ends with if the session ends before; [`Code::Cancelled`] where it ends
    /// well.
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

    /// How long the lease had left, by the last event that was given out and the host's own clock
    /// at its last message: the clock of this machine may differ. None without a lease, or where
    /// the host doesn't tell its time.
    #[must_use]
    pub fn lease_left(&self) -> Option<Duration> {
        lease_left(&self.session, self.host_time.as_ref())
    }

    /// Closes the session (cancels it, while it is opening), and answers with it when it has ended.
    /// The events of the end can still be read, meanwhile too.
    ///
    /// # Errors
    ///
    /// Those of `CloseSession`.
    pub fn close(&self) -> impl Future<Output = Result<Session, Error>> + Send + use<> {
        let (sessions, id) = (self.sessions.clone(), self.id.clone());
        async move { Ok(sessions.close_and_wait(&id).await?.session) }
    }

    /// Lets go of the stream, as dropping does. A session without a lease then ends; one that has
    /// ended is not touched.
    pub fn detach(self) {}
}

impl HeldSession {
    /// The next event of the stream; signs of life are passed over.
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
