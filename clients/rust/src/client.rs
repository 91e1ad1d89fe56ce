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

/// One host. It connects when it is first used, and again when it has to. Cheap to clone; clones
/// share the connection, which lasts as long as any of them, or a stream, does.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) connection: Connection,
    pub(crate) timeout: Option<Duration>,
}

impl Client {
    /// The same client with another bound for unary calls; None: as long as they take.
    #[must_use]
    pub fn with_timeout(&self, timeout: impl Into<Option<Duration>>) -> Self {
        Self {
            connection: self.connection.clone(),
            timeout: timeout.into(),
        }
    }

    /// Opens, closes and follows sessions.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        Sessions::new(self.connection(), self.timeout)
    }

    /// Tells which devices can be connected to.
    #[must_use]
    pub fn devices(&self) -> Devices {
        Devices::new(self.connection(), self.timeout)
    }

    /// Which host this is, whether it can do its work, on what it runs, and its limits.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    pub async fn host(&self) -> Result<v1::GetHostResponse, Error> {
        let mut client = HostServiceClient::new(self.connection());
        within(self.timeout, v1::GetHostRequest {}, |request| {
            client.get_host(request)
        })
        .await
    }

    /// What the host tells load balancers and probes, of itself (`service` is empty) or of one of
    /// its services (`wifidirect.v1.SessionService`).
    ///
    /// # Errors
    ///
    /// [`Code::NotFound`](crate::Code::NotFound) for a service that it doesn't know.
    pub async fn health(&self, service: &str) -> Result<ServingStatus, Error> {
        let mut client = HealthClient::new(self.connection());
        let message = HealthCheckRequest {
            service: service.into(),
        };
        let answer = within(self.timeout, message, |request| client.check(request)).await?;
        Ok(answer.status())
    }

    /// The connection itself, for generated clients; their statuses convert to [`Error`].
    #[must_use]
    pub fn connection(&self) -> Connection {
        self.connection.clone()
    }
}
