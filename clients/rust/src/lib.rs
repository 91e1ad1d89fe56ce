//! The client library of the Wi-Fi Direct Gateway, for programs that use the Wi-Fi Direct sessions
//! and devices of remote Windows hosts.
//!
//! ```no_run
//! use wifi_direct_gateway::{Client, Error};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! let client = Client::connect("localhost:50051")?;
//! let mut session = client.sessions().open("02:11:22:33:44:01").await?;
//! let opened = session.wait_open().await?;
//! println!("open on {:?}", opened.network_interface);
//! let closed = session.close().await?;
//! println!("closed, as seen by {:?}", closed.end.unwrap_or_default().evidence());
//! # Ok(())
//! # }
//! ```
//!
//! Sequences are [`Stream`](futures_core::Stream)s; dropping a stream ends it. Every call and
//! stream fails with an [`Error`]. The messages are those of [`v1`], whose comments describe every
//! field, event and reason. All calls need a Tokio runtime.

mod client;
mod connect;
mod connection;
mod devices;
mod dial;
mod error;
mod held_session;
mod pages;
mod sessions;
mod tls;
mod watch;

pub use client::Client;
pub use connect::Builder;
pub use connection::{BoxError, Connection};
pub use devices::{DeviceWatchItem, Devices, WatchDevicesOptions};
pub use error::Error;
pub use futures_core::stream::BoxStream;
pub use google::rpc::bad_request::FieldViolation;
pub use held_session::HeldSession;
pub use prost_types;
pub use sessions::{ListOptions, OpenRequest, SessionAt, SessionWatchItem, Sessions, WatchOptions};
pub use tokio_rustls::rustls;
pub use tonic;
pub use tonic::Code;
pub use tonic_health::pb::health_check_response::ServingStatus;
pub use v1::ErrorReason as Reason;
pub use watch::{Backoff, WatchItem};

/// The contract: messages, and generated clients for [`Client::connection`].
#[allow(missing_docs, clippy::pedantic)]
pub mod v1 {
    tonic::include_proto!("wifidirect.v1");
}

/// Scripts a simulated host, for tests. Needs the feature `simulator`.
#[cfg(feature = "simulator")]
pub mod simulator {
    /// The contract of the simulator. A daemon serves it if it was started with
    /// `--simulator-service`.
    #[allow(missing_docs, clippy::pedantic)]
    pub mod v1 {
        tonic::include_proto!("wifidirect.simulator.v1");
    }
}

/// Shared protobuf packages of Google.
pub mod google {
    /// The details of a status. See [`Error::detail`](crate::Error::detail).
    #[allow(missing_docs, clippy::pedantic)]
    pub mod rpc {
        tonic::include_proto!("google.rpc");
    }
}
