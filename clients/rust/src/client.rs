use std::time::Duration;

use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::connection::{Connection, within};
use crate::devices::Devices;
use crate::error::Error;
use crate::sessions::Sessions;
use crate::v1;
use crate::v1::host_service_client::HostServiceClient;

/// A client of one host. It connects at the first call, and again when the connection breaks. Cheap
/// to clone: clones share the connection, which lasts as long as any of them or a stream.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) connection: Connection,
    pub(crate) timeout: Option<Duration>,
}

impl Client {
    /// Returns the same client with another timeout for unary calls; None for no timeout.
    #[must_use]
    pub fn with_timeout(&self, timeout: impl Into<Option<Duration>>) -> Self {
        Self {
            connection: self.connection.clone(),
            timeout: timeout.into(),
        }
    }

    /// Returns the API of the sessions.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        Sessions::new(self.connection(), self.timeout)
    }

    /// Returns the API of the paired devices.
    #[must_use]
    pub fn devices(&self) -> Devices {
        Devices::new(self.connection(), self.timeout)
    }

    /// Returns the identity, state, versions and limits of the host.
    ///
    /// # Errors
    ///
    /// The errors of the contract.
    pub async fn host(&self) -> Result<v1::GetHostResponse, Error> {
        let mut client = HostServiceClient::new(self.connection());
        within(self.timeout, v1::GetHostRequest {}, |request| {
            client.get_host(request)
        })
        .await
    }

    /// Returns the health that the host reports to load balancers and probes: of the host if
    /// `service` is empty, otherwise of one service (`wifidirect.v1.SessionService`).
    ///
    /// # Errors
    ///
    /// [`Code::NotFound`](crate::Code::NotFound) for an unknown service.
    pub async fn health(&self, service: &str) -> Result<ServingStatus, Error> {
        let mut client = HealthClient::new(self.connection());
        let message = HealthCheckRequest {
            service: service.into(),
        };
        let answer = within(self.timeout, message, |request| client.check(request)).await?;
        Ok(answer.status())
    }

    /// Returns the connection, for generated clients. Their statuses convert to [`Error`].
    #[must_use]
    pub fn connection(&self) -> Connection {
        self.connection.clone()
    }
}
