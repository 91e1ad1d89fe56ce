use prost_types::Duration as WireDuration;

use super::*;
use crate::google::rpc::{QuotaFailure, quota_failure};

/// A status as a host sends it.
pub(crate) fn received(code: Code, details: impl IntoIterator<Item = Any>) -> Status {
    let details = details.into_iter().collect();
    let status = rpc::Status {
        code: code as i32,
        message: "the text".into(),
        details,
    };
    Status::with_details(code, "the text", status.encode_to_vec().into())
}

pub(crate) fn detail(message: &impl Name) -> Any {
    Any::from_msg(message).expect("it can be encoded")
}

pub(crate) fn info(reason: &str) -> ErrorInfo {
    let metadata = [("win32_code".into(), "1460".into())].into();
    ErrorInfo {
        domain: DOMAIN.into(),
        reason: reason.into(),
        metadata,
    }
}

pub(crate) fn retry_in(seconds: i64, nanos: i32) -> Any {
    detail(&RetryInfo {
        retry_delay: Some(WireDuration { seconds, nanos }),
    })
}

fn is<T: Send + Sync + StdError + 'static>(_: &T) {}

#[test]
fn details_become_fields() {
    let violation = FieldViolation {
        field: "kind".into(),
        ..FieldViolation::default()
    };
    let native = NativeResult {
        code: 1460,
        ..NativeResult::default()
    };
    let quota = QuotaFailure {
        violations: vec![quota_failure::Violation {
            subject: "host".into(),
            ..Default::default()
        }],
    };
    let error = Error::from(received(
        Code::Aborted,
        [
            detail(&info("OPEN_FAILED")),
            retry_in(1, 500_000_000),
            detail(&BadRequest {
                field_violations: vec![violation.clone()],
            }),
            detail(&native),
            detail(&quota),
        ],
    ));
    is(&error);
    assert_eq!(error.code(), Code::Aborted);
    assert_eq!(error.reason(), Some(ErrorReason::OpenFailed));
    assert_eq!(error.metadata()["win32_code"], "1460");
    assert_eq!(error.native(), Some(&native));
    assert_eq!(error.retry_delay(), Some(Duration::from_millis(1500)));
    assert_eq!(error.field_violations(), [violation]);
    assert_eq!(error.detail(), Some(quota));
    assert_eq!(error.to_string(), "OPEN_FAILED: the text");
}

#[test]
fn every_reason_of_the_contract_is_known() {
    let reasons: Vec<_> = (1..)
        .map_while(|number| ErrorReason::try_from(number).ok())
        .collect();
    assert!(reasons.len() >= 25);
    for reason in reasons {
        let name = reason.as_str_name().trim_start_matches("ERROR_REASON_");
        let error = Error::from(received(Code::Internal, [detail(&info(name))]));
        assert_eq!(
            (error.reason(), error.reason_name()),
            (Some(reason), Some(name))
        );
    }
}

#[test]
fn a_reason_of_a_newer_host_is_kept() {
    let error = Error::from(received(Code::Internal, [detail(&info("NEW"))]));
    assert_eq!(error.reason(), Some(ErrorReason::Unspecified));
    assert_eq!(error.reason_name(), Some("NEW"));
}

#[test]
fn an_error_that_the_host_did_not_make_has_no_reason() {
    let foreign = ErrorInfo {
        domain: "proxy.example".into(),
        ..info("OPEN_FAILED")
    };
    let error = Error::from(received(Code::Unavailable, [detail(&foreign)]));
    assert_eq!(error.reason(), None);
    assert!(error.metadata().is_empty());
    assert_eq!(error.to_string(), "Unavailable: the text");
}

#[test]
fn details_that_cannot_be_read_are_left_out() {
    let error = Error::from(Status::with_details(
        Code::Aborted,
        "",
        vec![0xff, 0x01].into(),
    ));
    assert_eq!((error.code(), error.reason()), (Code::Aborted, None));
    assert_eq!(error.to_string(), "Aborted: the call failed");
}

#[test]
fn a_delay_that_makes_no_sense_is_bounded() {
    let delay = |seconds, nanos| {
        Error::from(received(Code::Aborted, [retry_in(seconds, nanos)])).retry_delay()
    };
    assert_eq!(delay(-1, 0), None);
    assert_eq!(delay(0, -1), None);
    assert_eq!(delay(i64::MIN, i32::MIN), None);
    assert!(delay(i64::MAX, i32::MAX).is_some_and(|it| it.as_secs() >= u64::MAX / 2));
}

#[test]
fn a_message_that_is_too_large_has_the_code_of_grpc() {
    let status = Status::out_of_range(
        "Error, decoded message length too large: found 5 bytes, the limit is: 4 bytes",
    );
    assert_eq!(Error::from(status).code(), Code::ResourceExhausted);
}

#[test]
fn a_connection_that_breaks_is_unavailable_and_says_why() {
    for code in [
        Code::Unknown,
        Code::Internal,
        Code::Cancelled,
        Code::Unavailable,
    ] {
        let mut status = Status::new(code, "the body broke off");
        status.set_source(Arc::new(std::io::Error::other("reset by peer")));
        let error = Error::from(status);
        assert_eq!(
            (error.code(), error.message()),
            (Code::Unavailable, "the body broke off: reset by peer")
        );
        assert!(has_cause::<std::io::Error>(
            error.source().expect("there is a cause")
        ));
    }
}

#[test]
fn a_deadline_of_tonic_is_one() {
    let mut status = Status::cancelled("Timeout expired");
    status.set_source(Arc::new(TimeoutExpired(())));
    assert_eq!(Error::from(status).code(), Code::DeadlineExceeded);
}

#[test]
fn a_status_of_the_host_keeps_its_code() {
    for code in [Code::Unknown, Code::Internal, Code::Cancelled] {
        assert_eq!(Error::from(received(code, [])).code(), code);
    }
}
