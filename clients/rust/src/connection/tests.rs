use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::time::Instant;

use super::*;
use crate::client::Client;

/// Nobody listens there.
const NOBODY: &str = "127.0.0.1:1";

type Unanswered = Result<tonic::Response<()>, Status>;

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_its_deadline_and_the_host_knows_it() {
    let start = Instant::now();
    let call = |request: tonic::Request<()>| {
        assert_eq!(request.metadata().get("grpc-timeout").unwrap(), "10000000u");
        pending::<Unanswered>()
    };
    let error = within(Some(Duration::from_secs(10)), (), call)
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.reason()),
        (Code::DeadlineExceeded, None)
    );
    assert_eq!(start.elapsed(), Duration::from_secs(10));
}

#[tokio::test]
async fn a_call_without_a_bound_or_with_one_that_cannot_be_told_has_no_deadline() {
    for timeout in [None, Some(Duration::MAX)] {
        let call = |request: tonic::Request<()>| {
            assert!(request.metadata().get("grpc-timeout").is_none());
            std::future::ready(Ok(tonic::Response::new(7)))
        };
        assert_eq!(within(timeout, (), call).await.unwrap(), 7);
    }
}

#[test]
fn a_token_is_sent_as_a_bearer_and_never_shown() {
    let value = bearer(Ok("secret".into())).unwrap();
    assert_eq!(value, "Bearer secret");
    assert!(!format!("{value:?}").contains("secret"));
}

#[tokio::test]
async fn a_token_is_asked_for_at_each_call() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let source = move || {
        count.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok::<_, BoxError>("secret".into()))
    };
    let client = Client::builder()
        .token_source(source)
        .connect(NOBODY)
        .unwrap();
    for _ in 0..2 {
        let error = client.host().await.unwrap_err();
        assert_eq!((error.code(), error.reason()), (Code::Unavailable, None));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_token_that_cannot_be_had_fails_the_call() {
    for (token, why) in [
        (Err("the vault is sealed"), "the vault is sealed"),
        (Ok("a\nb".into()), "no header can hold"),
        (Ok(String::new()), "it is empty"),
    ] {
        let source = move || std::future::ready(token.clone());
        let client = Client::builder()
            .token_source(source)
            .connect(NOBODY)
            .unwrap();
        let error = client
            .sessions()
            .open("02:11:22:33:44:01")
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
        assert!(error.message().contains(why), "{error}");
    }
}

#[test]
fn what_no_wire_can_carry_is_as_long_as_it_can() {
    assert_eq!(wire(Duration::from_millis(1500)).nanos, 500_000_000);
    assert_eq!(wire(Duration::MAX).seconds, i64::MAX);
}

#[tokio::test]
async fn the_hook_for_metadata_is_asked_once_for_each_call_and_may_fail_it() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let hook = move |metadata: &mut MetadataMap| {
        count.fetch_add(1, Ordering::Relaxed);
        metadata.insert("traceparent", "00-1-2-01".parse()?);
        Err::<(), BoxError>("there is no trace".into())
    };
    let client = Client::builder().metadata(hook).connect(NOBODY).unwrap();
    for _ in 0..2 {
        let error = client.host().await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
        assert!(error.message().contains("there is no trace"), "{error}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn why_there_is_no_connection_is_told() {
    let error = Client::connect(NOBODY).unwrap().host().await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::Unavailable, None));
    assert!(
        error.message().contains("can't connect to 127.0.0.1:1"),
        "{error}"
    );
    assert!(error.message().contains("refused"), "{error}");
    let nowhere = Client::builder()
        .clear_text()
        .connect("no-such-host.invalid:1");
    let error = nowhere.unwrap().host().await.unwrap_err();
    assert!(error.message().contains("failed to lookup"), "{error}");
}

#[test]
fn an_answer_that_is_not_of_grpc_has_the_code_that_grpc_gives_it() {
    let told = |kind: &'static str, status: u16| {
        let headers = [(CONTENT_TYPE, HeaderValue::from_static(kind))];
        let status = StatusCode::from_u16(status).expect("a status");
        foreign(status, &headers.into_iter().collect()).map_err(|status| status.code())
    };
    assert_eq!(told("application/grpc", 200), Ok(()));
    assert_eq!(told("application/grpc+proto", 200), Ok(()));
    assert_eq!(told("text/html", 200), Err(Code::Unknown));
    assert_eq!(told("text/html", 401), Err(Code::Unauthenticated));
    assert_eq!(told("text/html", 403), Err(Code::PermissionDenied));
    assert_eq!(told("text/html", 404), Err(Code::Unimplemented));
    assert_eq!(told("text/html", 503), Err(Code::Unavailable));
}
