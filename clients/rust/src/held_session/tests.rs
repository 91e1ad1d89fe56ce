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
    OpenSessionResponse { event: Some(event) }
}

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
    let sessions = Client::connect("localhost:1")?.sessions();
    HeldSession::hold(sessions, stream::iter(responses).boxed()).await
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
