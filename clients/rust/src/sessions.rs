use std::time::Duration;

use futures_core::stream::BoxStream;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use prost_types::Timestamp;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::connection::{Connection, wire, within};
use crate::error::Error;
use crate::pages::pages;
use crate::v1;
use crate::v1::session_service_client::SessionServiceClient;
use crate::watch::{BOOKMARK_INTERVAL_DEFAULT, Backoff, Batch, WatchItem, silence_max, watch};

/// Opens, closes and watches the sessions of one host. `session_service.proto` describes each call
/// and its errors. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sessions {
    client: SessionServiceClient<Connection>,
    timeout: Option<Duration>,
}

/// Which session to open. Only the device is required, and a request can be made from its address
/// or from a [`Device`](v1::Device).
///
/// ```
/// use std::time::Duration;
/// use wifi_direct_gateway::OpenRequest;
///
/// let request = OpenRequest::from("02:11:22:33:44:01").lease_ttl(Duration::from_secs(60));
/// # assert_eq!(request.lease_ttl, Some(Duration::from_secs(60)));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OpenRequest {
    /// The P2P device address of a paired device, `aa:bb:cc:dd:ee:ff`.
    pub device_address: String,
    /// The id of the session: 4 to 63 characters of `[a-z0-9-]`, the first a letter or digit.
    /// Empty: the host makes a UUID.
    pub session_id: String,
    /// Unspecified means [`SessionKind::WifiDirect`](v1::SessionKind::WifiDirect).
    pub kind: v1::SessionKind,
    /// How long the open can take. None: the host's default, 60 s.
    pub open_timeout: Option<Duration>,
    /// How long the session outlives its last stream: 1 s to 24 h. None: it ends with its last
    /// stream.
    pub lease_ttl: Option<Duration>,
    /// A UUID that identifies this request: another open with it attaches to the same session.
    /// Empty: a new UUID for each call.
    pub request_id: String,
    /// How long the stream can be quiet before the host sends a heartbeat: 1 s to 5 min, default 10
    /// s. Heartbeats are not returned to the caller. They keep proxies from closing the stream, and
    /// a host that is silent for three intervals is considered gone. None: no heartbeats.
    pub heartbeat_interval: Option<Duration>,
}

const HEARTBEAT_INTERVAL_DEFAULT: Duration = Duration::from_secs(10);

impl Default for OpenRequest {
    fn default() -> Self {
        Self {
            device_address: String::new(),
            session_id: String::new(),
            kind: v1::SessionKind::Unspecified,
            open_timeout: None,
            lease_ttl: None,
            request_id: String::new(),
            heartbeat_interval: Some(HEARTBEAT_INTERVAL_DEFAULT),
        }
    }
}

impl OpenRequest {
    /// Sets the id of the session.
    #[must_use]
    pub fn session_id(mut self, id: impl Into<String>) -> Self {
        self.session_id = id.into();
        self
    }

    /// Sets the kind of the session, which decides the native call.
    #[must_use]
    pub fn kind(mut self, kind: v1::SessionKind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets how long the open can take.
    #[must_use]
    pub fn open_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.open_timeout = timeout.into();
        self
    }

    /// Sets how long the session outlives its last stream.
    #[must_use]
    pub fn lease_ttl(mut self, ttl: impl Into<Option<Duration>>) -> Self {
        self.lease_ttl = ttl.into();
        self
    }

    /// Sets the UUID that identifies this request.
    #[must_use]
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = id.into();
        self
    }

    /// Sets the interval of heartbeats; None for no heartbeats.
    #[must_use]
    pub fn heartbeat_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.heartbeat_interval = interval.into();
        self
    }
}

impl From<&str> for OpenRequest {
    fn from(device_address: &str) -> Self {
        Self {
            device_address: device_address.into(),
            ..Self::default()
        }
    }
}

impl From<&v1::Device> for OpenRequest {
    /// Creates a request of the kind that suits the device.
    fn from(device: &v1::Device) -> Self {
        let kind = if device.is_legacy() {
            v1::SessionKind::Legacy
        } else {
            v1::SessionKind::WifiDirect
        };
        Self {
            kind,
            ..device.device_address.as_str().into()
        }
    }
}

/// A session, and the cursor at which it had this state. A watch that starts at the cursor sees
/// everything after it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionAt {
    /// The session.
    pub session: v1::Session,
    /// The cursor at which the session had this state.
    pub cursor: String,
    /// The time of the host when it answered; None from a host that does not send it.
    pub host_time: Option<Timestamp>,
}

impl SessionAt {
    /// Returns how long the lease had left when the host answered, on the clock of the host. None
    /// if the session has no lease, or if the host does not send its time.
    #[must_use]
    pub fn lease_left(&self) -> Option<Duration> {
        lease_left(&self.session, self.host_time.as_ref())
    }
}

/// Uses only the clock of the host. An expired lease has zero left.
pub(crate) fn lease_left(session: &v1::Session, host_time: Option<&Timestamp>) -> Option<Duration> {
    let nanos =
        |time: &Timestamp| i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
    let left = nanos(session.lease_expire_time.as_ref()?) - nanos(host_time?);
    let left = u64::try_from(left.max(0)).unwrap_or(u64::MAX);
    Some(Duration::from_nanos(left))
}

/// Which sessions [`Sessions::list`] returns. Default: all.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ListOptions {
    /// Only sessions in one of these states. Empty: all states.
    pub states: Vec<v1::SessionState>,
    /// Only sessions to this device. Empty: all devices.
    pub device_address: String,
    /// The number of sessions in one page: 1 to 1000. 0 means 50.
    pub page_size: i32,
}

impl ListOptions {
    /// Returns only sessions in one of these states.
    #[must_use]
    pub fn states(mut self, states: impl IntoIterator<Item = v1::SessionState>) -> Self {
        self.states = states.into_iter().collect();
        self
    }

    /// Returns only sessions to this device.
    #[must_use]
    pub fn device_address(mut self, address: impl Into<String>) -> Self {
        self.device_address = address.into();
        self
    }

    /// Sets the number of sessions in one page.
    #[must_use]
    pub fn page_size(mut self, size: i32) -> Self {
        self.page_size = size;
        self
    }
}

/// Which sessions [`Sessions::watch`] shows. Default: all, from now on.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct WatchOptions {
    /// Resumes after this cursor. Empty: starts now, with a snapshot.
    pub cursor: String,
    /// Only these sessions. Empty: all that the caller can see.
    pub session_ids: Vec<String>,
    /// How long the stream can be quiet before the host sends a bookmark: 1 s to 5 min. None: 10 s.
    pub bookmark_interval: Option<Duration>,
    /// The pauses between attempts.
    pub backoff: Backoff,
}

impl WatchOptions {
    /// Resumes after this cursor.
    #[must_use]
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = cursor.into();
        self
    }

    /// Shows only these.
    #[must_use]
    pub fn session_ids(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.session_ids = ids.into_iter().map(Into::into).collect();
        self
    }

    /// Sets how long the stream can be quiet before the host sends a bookmark: 1 s to 5 min. A
    /// stream that is silent for three intervals is considered broken.
    #[must_use]
    pub fn bookmark_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.bookmark_interval = interval.into();
        self
    }

    /// Sets the pauses between attempts.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }
}

/// An item of a watch of sessions.
pub type SessionWatchItem = WatchItem<v1::Session, v1::SessionEvent>;

// The contract lists the errors of each call.
#[allow(clippy::missing_errors_doc)]
impl Sessions {
    pub(crate) fn new(connection: Connection, timeout: Option<Duration>) -> Self {
        Self {
            client: SessionServiceClient::new(connection),
            timeout,
        }
    }

    /// The stream that opens a session and keeps it. The call starts with the first read.
    pub(crate) fn open_stream(
        &self,
        request: OpenRequest,
    ) -> BoxStream<'static, Result<v1::OpenSessionResponse, Status>> {
        let message = v1::OpenSessionRequest {
            session_id: request.session_id,
            device_address: request.device_address,
            kind: request.kind.into(),
            open_timeout: request.open_timeout.map(wire),
            lease_ttl: request.lease_ttl.map(wire),
            request_id: match request.request_id {
                id if id.is_empty() => new_request_id(),
                id => id,
            },
            heartbeat_interval: request.heartbeat_interval.map(wire),
        };
        let mut client = self.client.clone();
        let opening = async move {
            client
                .open_session(message)
                .await
                .map(tonic::Response::into_inner)
        };
        stream::once(opening).try_flatten().boxed()
    }

    /// Closes an open session, or cancels one that is opening. Returns when the close has begun.
    pub async fn close(&self, session_id: &str) -> Result<SessionAt, Error> {
        self.end(session_id, false, self.timeout).await
    }

    /// Closes the session, and returns when it has ended. There is no deadline.
    pub async fn close_and_wait(&self, session_id: &str) -> Result<SessionAt, Error> {
        self.end(session_id, true, None).await
    }

    async fn end(
        &self,
        session_id: &str,
        wait_for_disconnect: bool,
        timeout: Option<Duration>,
    ) -> Result<SessionAt, Error> {
        let mut client = self.client.clone();
        let message = v1::CloseSessionRequest {
            session_id: session_id.into(),
            wait_for_disconnect,
            request_id: new_request_id(),
        };
        let answer = within(timeout, message, |request| client.close_session(request)).await?;
        shown(answer.session, answer.cursor, answer.host_time)
    }

    /// Cancels a pending open. The session then ends CANCELLED, or CLOSED if the open was faster;
    /// an event reports which.
    pub async fn cancel(&self, session_id: &str) -> Result<SessionAt, Error> {
        let mut client = self.client.clone();
        let message = v1::CancelOpenSessionRequest {
            session_id: session_id.into(),
            request_id: new_request_id(),
        };
        let answer = within(self.timeout, message, |request| {
            client.cancel_open_session(request)
        })
        .await?;
        shown(answer.session, answer.cursor, answer.host_time)
    }

    /// Extends a lease: it expires this long from now. None: the session's own `lease_ttl`.
    pub async fn renew(
        &self,
        session_id: &str,
        lease_ttl: impl Into<Option<Duration>>,
    ) -> Result<SessionAt, Error> {
        let mut client = self.client.clone();
        let message = v1::RenewSessionRequest {
            session_id: session_id.into(),
            lease_ttl: lease_ttl.into().map(wire),
            request_id: new_request_id(),
        };
        let answer = within(self.timeout, message, |request| {
            client.renew_session(request)
        })
        .await?;
        shown(answer.session, answer.cursor, answer.host_time)
    }

    /// Returns one session. The host keeps an ended session for a while.
    pub async fn get(&self, session_id: &str) -> Result<SessionAt, Error> {
        let mut client = self.client.clone();
        let message = v1::GetSessionRequest {
            session_id: session_id.into(),
        };
        let answer = within(self.timeout, message, |request| client.get_session(request)).await?;
        shown(answer.session, answer.cursor, answer.host_time)
    }

    /// Lists the sessions, oldest first. Pages are fetched as the stream is read. The stream ends
    /// after an error.
    #[must_use]
    pub fn list(&self, options: ListOptions) -> BoxStream<'static, Result<v1::Session, Error>> {
        let Self { client, timeout } = self.clone();
        pages(move |page_token| {
            let mut client = client.clone();
            let message = v1::ListSessionsRequest {
                page_size: options.page_size,
                page_token,
                states: options.states.iter().map(|state| (*state).into()).collect(),
                device_address: options.device_address.clone(),
            };
            async move {
                let answer =
                    within(timeout, message, |request| client.list_sessions(request)).await?;
                Ok((answer.sessions, answer.next_page_token))
            }
        })
    }

    /// Watches sessions. The items are a [`WatchItem::Snapshot`], unless the watch resumes at a
    /// cursor, then each [`WatchItem::Change`] once and in order, even if the connection breaks.
    /// [`WatchItem::Bookmark`] and [`WatchItem::Disconnected`] come in between. The stream ends
    /// with an error if a retry can't help: `Unauthenticated`, `PermissionDenied`,
    /// `InvalidArgument` or `Unimplemented`.
    ///
    /// ```no_run
    /// use futures_util::TryStreamExt;
    /// use wifi_direct_gateway::{Client, Error, WatchItem, WatchOptions};
    ///
    /// # async fn watch(client: Client) -> Result<(), Error> {
    /// let mut items = client.sessions().watch(WatchOptions::default());
    /// while let Some(item) = items.try_next().await? {
    ///     match item {
    ///         WatchItem::Snapshot { items, .. } => println!("{} sessions", items.len()),
    ///         WatchItem::Change { event, .. } => println!("{:?} {:?}", event.r#type(), event.session),
    ///         WatchItem::Bookmark { cursor } => println!("nothing happened, up to {cursor}"),
    ///         WatchItem::Disconnected { error, retry_in } => println!("{error}, again in {retry_in:?}"),
    ///         _ => {} // Of a newer version of this library.
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn watch(
        &self,
        options: WatchOptions,
    ) -> BoxStream<'static, Result<SessionWatchItem, Error>> {
        let client = self.client.clone();
        let attach = move |cursor| {
            let mut client = client.clone();
            let message = v1::WatchSessionsRequest {
                cursor,
                session_ids: options.session_ids.clone(),
                bookmark_interval: options.bookmark_interval.map(wire),
            };
            async move {
                let stream = client.watch_sessions(message).await?.into_inner();
                Ok(stream.map_ok(|message| Batch {
                    snapshot: message.snapshot,
                    snapshot_complete: message.snapshot_complete,
                    events: message.events,
                    cursor: message.cursor,
                }))
            }
        };
        let interval = options
            .bookmark_interval
            .unwrap_or(BOOKMARK_INTERVAL_DEFAULT);
        watch(
            attach,
            options.cursor,
            options.backoff,
            silence_max(interval),
        )
    }
}

fn shown(
    session: Option<v1::Session>,
    cursor: String,
    host_time: Option<Timestamp>,
) -> Result<SessionAt, Error> {
    let session =
        session.ok_or_else(|| Error::new(Code::Internal, "the host's answer has no session"))?;
    Ok(SessionAt {
        session,
        cursor,
        host_time,
    })
}

fn new_request_id() -> String {
    Uuid::new_v4().to_string()
}

#[cfg(test)]
mod tests;
