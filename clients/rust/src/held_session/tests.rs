use futures_util::{TryStreamExt, stream};

use super::*;
use crate::client::Client;
use crate::error::tests::{detail, info, received};
use crate::v1::ErrorReason;

fn at(state: SessionState) -> OpenSessionResponse {
    let session = Session {
        session_id: "a-session".into(),
        state: state.into(),
        ..Session::default()
    };
    let event = SessionEvent {
        session: Some(session),
        ..SessionEvent::default()
    };
    OpenSessionResponse {
        event: Some(event),
        ..OpenSessionResponse::default()
    }
}

/// A message without an event, as a host sends it that has nothing to say.
fn sign_of_life() -> OpenSessionResponse {
    OpenSessionResponse {
        host_time: Some(Timestamp::default()),
        ..OpenSessionResponse::default()
    }
}

const PATIENCE: Duration = Duration::from_secs(30);

async fn held(
    states: impl IntoIterator<Item = SessionState>,
    end: Option<Status>,
) -> Result<HeldSession, Error> {
    let responses: Vec<_> = states
        .into_iter()
        .map(at)
        .map(Ok)
        .chain(end.map(Err))
        .collect();
    hold(stream::iter(responses).boxed()).await
}

async fn hold(
    stream: BoxStream<'static, Result<OpenSessionResponse, Status>>,
) -> Result<HeldSession, Error> {
    let sessions = Client::connect("localhost:1")?.sessions();
    HeldSession::hold(sessions, stream, Some(PATIENCE)).await
}

async fn rest(session: &mut HeldSession) -> Result<Vec<SessionState>, Error> {
    let state = |event: SessionEvent| event.session.unwrap_or_default().state();
    session.map_ok(state).try_collect().await
}

use SessionState::{Closed, Closing, Failed, Open, Opening};

#[tokio::test]
async fn a_session_is_read_from_its_first_event_to_its_last() -> Result<(), Error> {
    let mut session = held([Opening, Open, Closing, Closed], None).await?;
    assert_eq!(session.id(), "a-session");
    assert_eq!(session.wait_open().await?.state(), Open);
    assert_eq!(session.wait_open().await?.state(), Open);
    assert_eq!(rest(&mut session).await?, [Closing, Closed]);
    let error = session.wait_open().await.unwrap_err();
    assert_eq!(error.code(), Code::Cancelled);
    Ok(())
}

#[tokio::test]
async fn an_open_that_fails_ends_with_its_error_after_its_last_event() -> Result<(), Error> {
    let failure = received(Code::Aborted, [detail(&info("OPEN_FAILED"))]);
    let mut session = held([Opening, Failed], Some(failure)).await?;
    let states: Vec<_> = session.by_ref().take(2).try_collect().await?;
    assert_eq!(states.len(), 2);
    let error = session.next().await.expect("the error").unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::OpenFailed));
    assert!(session.next().await.is_none());
    let again = session.wait_open().await.unwrap_err();
    assert_eq!(again.reason(), Some(ErrorReason::OpenFailed));
    Ok(())
}

#[tokio::test]
async fn a_session_may_be_held_by_a_task_of_its_own() {
    let life = async {
        let mut session = held([Opening, Open], None).await?;
        session.wait_open().await?;
        session.close().await
    };
    // Nobody answers there.
    let error = tokio::spawn(life)
        .await
        .expect("it does not panic")
        .unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
}

#[tokio::test]
async fn an_open_that_is_refused_holds_nothing() {
    let refusal = received(Code::InvalidArgument, [detail(&info("INVALID_FIELD"))]);
    let error = held([], Some(refusal)).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::InvalidField));
    assert_eq!(held([], None).await.unwrap_err().code(), Code::Internal);
}

#[tokio::test(start_paused = true)]
async fn signs_of_life_are_passed_over_and_keep_the_stream() -> Result<(), Error> {
    let heartbeat = || async {
        sleep(Duration::from_secs(29)).await;
        Ok(sign_of_life())
    };
    let event = |state| OpenSessionResponse {
        host_time: Some(Timestamp::default()),
        ..at(state)
    };
    let stream = stream::iter([Ok(sign_of_life()), Ok(event(Opening))])
        .chain(stream::repeat_with(heartbeat).take(3).then(|beat| beat))
        .chain(stream::iter([Ok(event(Open))]))
        .chain(stream::pending());
    let mut session = hold(stream.boxed()).await?;
    assert_eq!(session.wait_open().await?.state(), Open);
    let start = tokio::time::Instant::now();
    let error = session.next().await.expect("the error").unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::Unavailable, None));
    assert_eq!(start.elapsed(), PATIENCE);
    assert!(session.next().await.is_none());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_host_that_knows_no_signs_of_life_may_be_silent() -> Result<(), Error> {
    let stream = stream::iter([Ok(at(Opening))]).chain(stream::pending());
    let mut session = hold(stream.boxed()).await?;
    session.next().await.expect("an event")?;
    let hour = Duration::from_secs(3600);
    assert!(tokio::time::timeout(hour, session.next()).await.is_err());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_host_that_never_answers_an_open_is_taken_for_gone() {
    let error = hold(stream::pending().boxed()).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::Unavailable, None));
}

#[tokio::test]
async fn what_a_lease_has_left_is_by_the_clock_of_the_host() -> Result<(), Error> {
    let at_second = |seconds| Timestamp { seconds, nanos: 0 };
    let mut response = at(Open);
    response.host_time = Some(at_second(7_000));
    let session = response
        .event
        .as_mut()
        .and_then(|event| event.session.as_mut());
    session.expect("a session").lease_expire_time = Some(at_second(7_060));
    let mut session = hold(stream::iter([Ok(response)]).boxed()).await?;
    session.wait_open().await?;
    assert_eq!(session.lease_left(), Some(Duration::from_secs(60)));
    Ok(())
}
