use std::time::Duration;

use futures_core::stream::BoxStream;
use futures_util::TryStreamExt;

use crate::connection::{Connection, wire, within};
use crate::error::Error;
use crate::pages::pages;
use crate::v1;
use crate::v1::device_service_client::DeviceServiceClient;
use crate::watch::{BOOKMARK_INTERVAL_DEFAULT, Backoff, Batch, WatchItem, silence_max, watch};

const DISCOVERY_TIMEOUT_DEFAULT: Duration = Duration::from_secs(15);
/// How much longer than the discovery the answer can take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Lists and watches the paired devices, and whether they are in range. See `device_service.proto`.
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Devices {
    client: DeviceServiceClient<Connection>,
    timeout: Option<Duration>,
}

/// Which devices [`Devices::watch`] shows. Default: all, from now on.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct WatchDevicesOptions {
    /// Resumes after this cursor of `DeviceService`. Empty: starts now, with a snapshot.
    pub cursor: String,
    /// Only these devices. Empty: all.
    pub device_addresses: Vec<String>,
    /// How long the stream can be quiet before the host sends a bookmark: 1 s to 5 min. None: 10 s.
    pub bookmark_interval: Option<Duration>,
    /// The pauses between attempts.
    pub backoff: Backoff,
}

impl WatchDevicesOptions {
    /// Resumes after this cursor of `DeviceService`.
    #[must_use]
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = cursor.into();
        self
    }

    /// Shows only these.
    #[must_use]
    pub fn device_addresses(
        mut self,
        addresses: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.device_addresses = addresses.into_iter().map(Into::into).collect();
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

/// An item of a watch of devices.
pub type DeviceWatchItem = WatchItem<v1::Device, v1::DeviceEvent>;

impl Devices {
    pub(crate) fn new(connection: Connection, timeout: Option<Duration>) -> Self {
        Self {
            client: DeviceServiceClient::new(connection),
            timeout,
        }
    }

    /// Lists the paired devices in the order of their addresses. Pages are fetched as the stream is
    /// read. The stream ends after an error.
    #[must_use]
    pub fn list(&self) -> BoxStream<'static, Result<v1::Device, Error>> {
        let Self { client, timeout } = self.clone();
        pages(move |page_token| {
            let mut client = client.clone();
            let message = v1::ListDevicesRequest {
                page_size: 0,
                page_token,
            };
            async move {
                let answer =
                    within(timeout, message, |request| client.list_devices(request)).await?;
                Ok((answer.devices, answer.next_page_token))
            }
        })
    }

    /// Watches the devices, like [`Sessions::watch`](crate::Sessions::watch).
    #[must_use]
    pub fn watch(
        &self,
        options: WatchDevicesOptions,
    ) -> BoxStream<'static, Result<DeviceWatchItem, Error>> {
        let client = self.client.clone();
        let attach = move |cursor| {
            let mut client = client.clone();
            let message = v1::WatchDevicesRequest {
                cursor,
                device_addresses: options.device_addresses.clone(),
                bookmark_interval: options.bookmark_interval.map(wire),
            };
            async move {
                let stream = client.watch_devices(message).await?.into_inner();
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

    /// Searches for a paired device by radio; `is_visible` of the returned device is the result.
    /// The discovery takes 1 s to 2 min; None: 15 s.
    ///
    /// # Errors
    ///
    /// The errors of `UpdateDeviceVisibility`.
    pub async fn update_visibility(
        &self,
        device_address: &str,
        discovery_timeout: impl Into<Option<Duration>>,
    ) -> Result<v1::UpdateDeviceVisibilityResponse, Error> {
        let mut client = self.client.clone();
        let discovery_timeout = discovery_timeout.into();
        let message = v1::UpdateDeviceVisibilityRequest {
            device_address: device_address.into(),
            timeout: discovery_timeout.map(wire),
        };
        let discovery_timeout = discovery_timeout.unwrap_or(DISCOVERY_TIMEOUT_DEFAULT);
        let timeout = discovery_timeout.saturating_add(ANSWER_TIMEOUT);
        within(Some(timeout), message, |request| {
            client.update_device_visibility(request)
        })
        .await
    }
}
