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
/// What the answer may take beyond the discovery.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Tells which devices can be connected to, and whether they are in reach. See
/// `device_service.proto`. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Devices {
    client: DeviceServiceClient<Connection>,
    timeout: Option<Duration>,
}

/// What [`Devices::watch`] shows; by default every device, from now.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct WatchDevicesOptions {
    /// Of `DeviceService`: resume after it. Empty: from now, after a snapshot.
    pub cursor: String,
    /// Only these. Empty: all.
    pub device_addresses: Vec<String>,
    /// How long a silence lasts before a bookmark comes: 1 s to 5 min. None: 10 s.
    pub bookmark_interval: Option<Duration>,
    /// The pauses between attempts.
    pub backoff: Backoff,
}

impl WatchDevicesOptions {
    /// Resumes after this cursor, of `DeviceService`.
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

    /// Has a bookmark come after a silence of this long: 1 s to 5 min. A stream that is silent for
    /// three of them is taken for broken.
    #[must_use]
    pub fn bookmark_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.bookmark_interval = interval.into();
        self
    }

    /// Pauses so between attempts.
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

    /// The paired devices, by address; pages are asked for as they are needed. Ends after an error.
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

    /// Follows the devices in the way of [`Sessions::watch`](crate::Sessions::watch).
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

    /// Looks for a paired device by radio: `is_visible` of the answer's device is what was found.
    /// The host waits for the discovery for 1 s to 2 min; None: 15 s.
    ///
    /// # Errors
    ///
    /// Those of `UpdateDeviceVisibility`.
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
