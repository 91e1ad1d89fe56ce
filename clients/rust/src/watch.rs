//! A watch that resumes: after an error that a retry can solve, it reconnects at its cursor.
//!
//! ```text
//! attach --batches--> items            attach again, after a pause, from the last cursor
//!    |                                    ^
//!    +--error that may heal--> Disconnected
//! ```
//!
//! Invariant: the cursor moves with the batch that carries it, before the items of the batch are
//! returned. So nothing is skipped or repeated, however often the stream breaks.

use std::collections::VecDeque;
use std::time::Duration;

use futures_core::stream::{BoxStream, Stream};
use futures_util::stream::{self, StreamExt};
use tokio::time::{Instant, timeout};
use tonic::{Code, Status};

use crate::error::Error;
use crate::v1::ErrorReason;

/// The longest pause that a host can ask for.
const RETRY_DELAY_MAX: Duration = Duration::from_secs(5 * 60);

/// A stream that lasted this long was healthy: the back-off is reset.
const HEALTHY: Duration = Duration::from_secs(10);

/// The host's default if the watch sets none.
pub(crate) const BOOKMARK_INTERVAL_DEFAULT: Duration = Duration::from_secs(10);

/// An item of a watch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WatchItem<Thing, Event> {
    /// Everything that exists. It replaces what the caller knew, even in the middle of a watch.
    Snapshot {
        /// All items.
        items: Vec<Thing>,
        /// Store it to resume a later watch.
        cursor: String,
    },
    /// One event.
    Change {
        /// The event.
        event: Event,
        /// Store it to resume a later watch without missing an event. Events of one message share a
        /// cursor, so after a resume some events can arrive again: skip them by epoch and sequence.
        cursor: String,
    },
    /// Nothing else happened up to this cursor.
    Bookmark {
        /// Store it to resume a later watch.
        cursor: String,
    },
    /// The stream broke. The watch reconnects by itself.
    Disconnected {
        /// Why it broke. If the reason is [`ErrorReason::CursorExpired`], events were missed, and a
        /// snapshot follows.
        error: Error,
        /// How long the watch waits before the next attempt.
        retry_in: Duration,
    },
}

/// The pauses between attempts: random from 0 to a bound that doubles with each failure ("full
/// jitter"), in addition to the pause that the host asks for (at most 5 min). The bound is reset
/// when a stream has lasted 10 s, and when the host answers after failures to reach it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Backoff {
    /// The bound after the first failure. Default 250 ms.
    pub initial: Duration,
    /// The largest bound. Default 30 s.
    pub max: Duration,
    /// Returns numbers in `[0, 1)`.
    pub random: fn() -> f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(250),
            max: Duration::from_secs(30),
            random: fastrand::f64,
        }
    }
}

impl Backoff {
    /// Pauses up to `initial` after the first failure, and up to `max` after many.
    #[must_use]
    pub fn new(initial: Duration, max: Duration) -> Self {
        Self {
            initial,
            max,
            ..Self::default()
        }
    }

    fn pause(&self, failures: u32, error: &Error) -> Duration {
        let bound = self
            .initial
            .saturating_mul(2_u32.saturating_pow(failures))
            .min(self.max);
        let jitter = bound.mul_f64((self.random)());
        let asked = error.retry_delay().unwrap_or_default();
        asked.min(RETRY_DELAY_MAX).saturating_add(jitter)
    }
}

/// A response of `WatchSessions` or `WatchDevices`.
pub(crate) struct Batch<Thing, Event> {
    pub snapshot: Vec<Thing>,
    pub snapshot_complete: bool,
    pub events: Vec<Event>,
    pub cursor: String,
}

pub(crate) fn watch<Thing, Event, Attaching, Batches>(
    attach: impl FnMut(String) -> Attaching + Send + 'static,
    cursor: String,
    backoff: Backoff,
    silence_max: Duration,
) -> BoxStream<'static, Result<WatchItem<Thing, Event>, Error>>
where
    Thing: Send + 'static,
    Event: Send + 'static,
    Attaching: Future<Output = Result<Batches, Status>> + Send + 'static,
    Batches: Stream<Item = Result<Batch<Thing, Event>, Status>> + Send + Unpin + 'static,
{
    let watching = Watching {
        attach,
        batches: None,
        things: Vec::new(),
        ready: VecDeque::new(),
        cursor,
        backoff,
        failures: 0,
        has_answered: false,
        heard_first: None,
        silence_max,
        pause: None,
    };
    let next = |mut watching: Watching<_, _, _, _>| async {
        let item = watching.next().await?;
        Ok(Some((item, watching)))
    };
    stream::try_unfold(watching, next).boxed()
}

/// The state of one watch.
struct Watching<Thing, Event, Attach, Batches> {
    attach: Attach,
    /// None while the watch is not connected.
    batches: Option<Batches>,
    /// The items of a snapshot that is not complete yet.
    things: Vec<Thing>,
    /// Not returned yet.
    ready: VecDeque<WatchItem<Thing, Event>>,
    cursor: String,
    backoff: Backoff,
    failures: u32,
    /// Whether the last failure was an answer from the host.
    has_answered: bool,
    /// When the first message of the stream arrived.
    heard_first: Option<Instant>,
    /// A stream that is silent for longer is considered broken.
    silence_max: Duration,
    /// Before the next attempt.
    pause: Option<Duration>,
}

impl<Thing, Event, Attach, Attaching, Batches> Watching<Thing, Event, Attach, Batches>
where
    Attach: FnMut(String) -> Attaching,
    Attaching: Future<Output = Result<Batches, Status>>,
    Batches: Stream<Item = Result<Batch<Thing, Event>, Status>> + Unpin,
{
    async fn next(&mut self) -> Result<WatchItem<Thing, Event>, Error> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(item);
            }
            if let Some(pause) = self.pause.take() {
                tokio::time::sleep(pause).await;
            }
            let read = match timeout(self.silence_max, self.read()).await {
                Ok(read) => read,
                Err(_) => Err(silent(self.silence_max)),
            };
            match read {
                Ok(batch) => self.take(batch),
                Err(error) if is_fatal(error.code()) => return Err(error),
                Err(error) => return Ok(self.broke(error)),
            }
        }
    }

    async fn read(&mut self) -> Result<Batch<Thing, Event>, Error> {
        let batches = match &mut self.batches {
            Some(batches) => batches,
            None => self
                .batches
                .insert((self.attach)(self.cursor.clone()).await?),
        };
        let ended = || Error::new(Code::Unavailable, "the host ended the watch");
        Ok(batches.next().await.ok_or_else(ended)??)
    }

    fn take(&mut self, batch: Batch<Thing, Event>) {
        self.heard_first.get_or_insert_with(Instant::now);
        let is_bookmark =
            batch.snapshot.is_empty() && batch.events.is_empty() && !batch.snapshot_complete;
        self.things.extend(batch.snapshot);
        let before = self.cursor.clone();
        if !batch.cursor.is_empty() {
            self.cursor.clone_from(&batch.cursor);
        }
        if batch.snapshot_complete {
            let items = std::mem::take(&mut self.things);
            self.ready.push_back(WatchItem::Snapshot {
                items,
                cursor: self.cursor.clone(),
            });
        }
        let mut events = batch.events.into_iter().peekable();
        while let Some(event) = events.next() {
            let cursor = if events.peek().is_some() {
                &before
            } else {
                &self.cursor
            };
            self.ready.push_back(WatchItem::Change {
                event,
                cursor: cursor.clone(),
            });
        }
        if is_bookmark && !batch.cursor.is_empty() {
            self.ready.push_back(WatchItem::Bookmark {
                cursor: batch.cursor,
            });
        }
    }

    fn broke(&mut self, error: Error) -> WatchItem<Thing, Event> {
        self.batches = None;
        self.things.clear();
        if error.reason() == Some(ErrorReason::CursorExpired) {
            self.cursor.clear();
        }
        let stood = self.heard_first.take().map(|first| first.elapsed());
        let is_answer = error.reason_name().is_some();
        if stood.is_some_and(|stood| stood >= HEALTHY) || (is_answer && !self.has_answered) {
            self.failures = 0;
        }
        self.has_answered = is_answer;
        let retry_in = self.backoff.pause(self.failures, &error);
        self.failures = self.failures.saturating_add(1);
        self.pause = Some(retry_in);
        WatchItem::Disconnected { error, retry_in }
    }
}

/// The host was silent: it is gone, or something in between answers in its place.
pub(crate) fn silent(time: Duration) -> Error {
    let message = format!("nothing was heard from the host for {time:?}");
    Error::new(Code::Unavailable, message)
}

/// How long a stream that says something in each interval can be silent.
pub(crate) fn silence_max(interval: Duration) -> Duration {
    interval.saturating_mul(3)
}

/// Whether a retry can't help.
fn is_fatal(code: Code) -> bool {
    matches!(
        code,
        Code::Unauthenticated
            | Code::PermissionDenied
            | Code::InvalidArgument
            | Code::Unimplemented
    )
}

#[cfg(test)]
mod tests;
