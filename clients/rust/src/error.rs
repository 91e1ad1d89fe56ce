use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prost::{Message, Name};
use prost_types::Any;
use tonic::{Code, Status, TimeoutExpired};

use crate::google::rpc::bad_request::FieldViolation;
use crate::google::rpc::{self, BadRequest, ErrorInfo, RetryInfo};
use crate::v1::{ErrorReason, NativeResult};

const DOMAIN: &str = "wifidirect.v1";

/// The error of every call and stream: the gRPC status with its decoded details (see the table in
/// `error.proto`).
///
/// ```
/// use wifi_direct_gateway::{Error, Reason};
///
/// fn advice(error: &Error) -> String {
///     match (error.reason(), error.native(), error.retry_delay()) {
///         (Some(Reason::OpenFailed), Some(native), _) => native.reason_text.clone(),
///         (_, _, Some(delay)) => format!("try again in {delay:?}"),
///         _ => error.to_string(),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    status: Status,
    details: Vec<Any>,
    /// Empty if the error does not come from the host.
    info: ErrorInfo,
    native: Option<NativeResult>,
    retry_delay: Option<Duration>,
    field_violations: Vec<FieldViolation>,
}

impl Error {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Status::new(code, message).into()
    }

    /// Returns the gRPC status code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.status.code()
    }

    /// Returns why the host refused; [`ErrorReason::Unspecified`] for a reason of a newer host.
    /// None if the error does not come from the host: a broken connection, a deadline, invalid
    /// options.
    #[must_use]
    pub fn reason(&self) -> Option<ErrorReason> {
        let reason = self.reason_name()?;
        Some(ErrorReason::from_str_name(&format!("ERROR_REASON_{reason}")).unwrap_or_default())
    }

    /// Returns the reason as the host wrote it, such as `OPEN_FAILED`.
    #[must_use]
    pub fn reason_name(&self) -> Option<&str> {
        Some(self.0.info.reason.as_str()).filter(|reason| !reason.is_empty())
    }

    /// Returns the message for people.
    #[must_use]
    pub fn message(&self) -> &str {
        self.0.status.message()
    }

    /// Returns the variable parts of the message. `error.proto` lists the keys of each reason.
    #[must_use]
    pub fn metadata(&self) -> &HashMap<String, String> {
        &self.0.info.metadata
    }

    /// Returns the result of the Windows function or callback that failed; None if none did.
    #[must_use]
    pub fn native(&self) -> Option<&NativeResult> {
        self.0.native.as_ref()
    }

    /// Returns how long to wait before a retry, if the host says so.
    #[must_use]
    pub fn retry_delay(&self) -> Option<Duration> {
        self.0.retry_delay
    }

    /// Returns the invalid fields of the request; empty unless the reason is
    /// [`ErrorReason::InvalidField`].
    #[must_use]
    pub fn field_violations(&self) -> &[FieldViolation] {
        &self.0.field_violations
    }

    /// Returns another detail, for example a [`QuotaFailure`](rpc::QuotaFailure).
    #[must_use]
    pub fn detail<Detail: Name + Default>(&self) -> Option<Detail> {
        self.0
            .details
            .iter()
            .find_map(|detail| detail.to_msg().ok())
    }

    /// Returns the status as it was received.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.0.status
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let status = settled(status);
        // Details that can't be parsed, or that a proxy has added, are ignored.
        let details = rpc::Status::decode(status.details())
            .unwrap_or_default()
            .details;
        let mut infos = details
            .iter()
            .filter_map(|detail| detail.to_msg::<ErrorInfo>().ok());
        let info = infos.find(|info| info.domain == DOMAIN).unwrap_or_default();
        let mut error = Self(Box::new(Inner {
            status,
            details,
            info,
            native: None,
            retry_delay: None,
            field_violations: Vec::new(),
        }));
        error.0.native = error.detail();
        let retry = error
            .detail::<RetryInfo>()
            .and_then(|retry| retry.retry_delay);
        error.0.retry_delay = retry.and_then(told);
        error.0.field_violations = error
            .detail::<BadRequest>()
            .unwrap_or_default()
            .field_violations;
        error
    }
}

/// The pause that the host asks for; None if it is negative.
fn told(delay: prost_types::Duration) -> Option<Duration> {
    let seconds = u64::try_from(delay.seconds).ok()?;
    let nanos = u32::try_from(delay.nanos).ok()?;
    Some(Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanos.into())))
}

/// A status with a source was created by tonic, because of the connection. gRPC reports
/// UNAVAILABLE; tonic also uses UNKNOWN, INTERNAL or CANCELLED, depending on the layer. The message
/// names the cause.
fn settled(status: Status) -> Status {
    let code = match (status.code(), status.source()) {
        (Code::OutOfRange, _) if status.message().starts_with(TOO_LARGE) => Code::ResourceExhausted,
        (_, Some(cause)) if has_cause::<TimeoutExpired>(cause) => Code::DeadlineExceeded,
        (Code::Unknown | Code::Internal | Code::Cancelled, Some(_)) => Code::Unavailable,
        (_, None) => return status,
        (code, Some(_)) => code,
    };
    let mut settled = Status::new(code, described(&status));
    settled.set_source(Arc::new(status));
    settled
}

/// How tonic's message about a too large message begins. Its code is not the one of gRPC.
const TOO_LARGE: &str = "Error, decoded message length too large";

fn described(status: &Status) -> String {
    let message = status.message();
    match status.source().map(|cause| root_cause(cause).to_string()) {
        Some(root) if !message.contains(&root) => format!("{message}: {root}"),
        _ => message.to_owned(),
    }
}

/// An invalid argument or option.
pub(crate) fn invalid(message: String) -> Error {
    Error::new(Code::InvalidArgument, message)
}

/// The innermost source of an error, without the errors that wrap it.
pub(crate) fn root_cause<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    error.source().map_or(error, root_cause)
}

fn has_cause<Cause: StdError + 'static>(error: &(dyn StdError + 'static)) -> bool {
    error.is::<Cause>() || error.source().is_some_and(has_cause::<Cause>)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason_name() {
            Some(reason) => write!(f, "{reason}: ")?,
            None => write!(f, "{:?}: ", self.code())?,
        }
        f.write_str(if self.message().is_empty() {
            "the call failed"
        } else {
            self.message()
        })
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.code())
            .field("reason", &self.reason_name())
            .field("message", &self.message())
            .field("metadata", self.metadata())
            .field("native", &self.0.native)
            .field("retry_delay", &self.0.retry_delay)
            .field("field_violations", &self.0.field_violations)
            .field("source", &self.source())
            .finish()
    }
}

impl StdError for Error {
    /// Describes what happened to the connection.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.status.source()
    }
}

#[cfg(test)]
pub(crate) mod tests;
