use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::stream::{BoxStream, Stream};
use futures_util::StreamExt;
use tonic::{Code, Status};

use crate::error::Error;
use crate::sessions::Sessions;
use crate::v1::{OpenSessionResponse, Session, SessionEvent, SessionState};

/// A session and the stream that holds it: without a lease, the session ends when this is dropped.
///
/// As a [`Stream`], it is the events that were not given out yet, as they come. It ends after CLOSED,
/// and after a CANCELLED that was asked for; else with an error, after the last event.
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
}

impl HeldSession {
    pub(crate) async fn hold(
        sessions: Sessions,
        mut stream: BoxStream<'static, Result<OpenSessionResponse, Status>>,
    ) -> Result<Self, Error> {
        let first = stream
            .next()
            .await
            .transpose()?
            .and_then(|response| response.event);
        let Some(next) = first else {
            return Err(Error::new(
                Code::Internal,
                "the host ended the stream without an event",
            ));
        };
        let id = next
            .session
            .as_ref()
            .map(|session| session.session_id.clone());
        Ok(Self {
            id: id.unwrap_or_default(),
            sessions,
            stream,
            next: Some(next),
            session: Session::default(),
            end: None,
        })
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
    /// What the stream ends with if the session ends before; [`Code::Cancelled`] where it ends well.
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

impl Stream for HeldSession {
    type Item = Result<SessionEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let event = loop {
            if let Some(event) = self.next.take() {
                break event;
            }
            if self.end.is_some() {
                return Poll::Ready(None);
            }
            match ready!(self.stream.poll_next_unpin(cx)) {
                Some(Ok(response)) => self.next = response.event,
                Some(Err(status)) => {
                    let error = Error::from(status);
                    self.end = Some(Err(error.clone()));
                    return Poll::Ready(Some(Err(error)));
                }
                None => self.end = Some(Ok(())),
            }
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
