use std::sync::{Arc, Mutex};

use tokio::time::{Instant, timeout};

use super::*;
use crate::error::tests::{detail, info, received, retry_in};

type Message = Batch<&'static str, u64>;

/// What a stream gives, and how it ends.
type Script = (Vec<Message>, End);

#[derive(Clone)]
enum End {
    /// It is silent.
    Not,
    Well,
    With(Status),
    /// After this time.
    Later(Duration, Status),
}

#[derive(Default)]
struct Run {
    /// What was attached with, and when.
    cursors: Vec<String>,
    times_ms: Vec<u128>,
    items: Vec<WatchItem<&'static str, u64>>,
    failure: Option<Code>,
}

impl Run {
    /// What the items say, in short.
    fn told(&self) -> String {
        let told = self.items.iter().map(|item| match item {
            WatchItem::Snapshot { items, .. } => format!("[{}]", items.join("")),
            WatchItem::Change { event, .. } => event.to_string(),
            WatchItem::Bookmark { .. } => "bookmark".to_owned(),
            WatchItem::Disconnected { error, .. } => format!("{:?}", error.code()),
        });
        told.collect::<Vec<_>>().join(" ")
    }

    fn item_cursors(&self) -> Vec<&str> {
        let cursors = self.items.iter().map(|item| match item {
            WatchItem::Snapshot { cursor, .. }
            | WatchItem::Change { cursor, .. }
            | WatchItem::Bookmark { cursor } => cursor.as_str(),
            WatchItem::Disconnected { .. } => "",
        });
        cursors.collect()
    }

    fn pauses_ms(&self) -> Vec<u128> {
        let pauses = self.items.iter().filter_map(|item| match item {
            WatchItem::Disconnected { retry_in, .. } => Some(retry_in.as_millis()),
            _ => None,
        });
        pauses.collect()
    }
}

/// A watch of a host that is silent for ever tells so for ever.
const ITEMS_MAX: usize = 30;

/// The pauses are 125, 250, 500, ... ms.
fn half() -> Backoff {
    Backoff {
        random: || 0.5,
        ..Backoff::default()
    }
}

/// Watches until the last script has been silent for an hour of simulated time.
async fn run(
    cursor: &str,
    backoff: Backoff,
    scripts: impl IntoIterator<Item = Script, IntoIter: Send + 'static>,
) -> Run {
    run_bounded(cursor, backoff, scripts, Duration::MAX).await
}

async fn run_bounded(
    cursor: &str,
    backoff: Backoff,
    scripts: impl IntoIterator<Item = Script, IntoIter: Send + 'static>,
    silence_max: Duration,
) -> Run {
    let run = Arc::new(Mutex::new(Run::default()));
    let start = Instant::now();
    let mut scripts = scripts.into_iter();
    let attached = run.clone();
    let attach = move |cursor| {
        let mut run = attached.lock().unwrap();
        run.cursors.push(cursor);
        run.times_ms.push(start.elapsed().as_millis());
        let (messages, end) = scripts.next().unwrap_or((vec![], End::Not));
        let messages = stream::iter(messages.into_iter().map(Ok));
        let stream = match end {
            End::Not => messages.chain(stream::pending()).boxed(),
            End::Well => messages.boxed(),
            End::With(status) => messages.chain(stream::iter([Err(status)])).boxed(),
            End::Later(time, status) => messages
                .chain(stream::once(async move {
                    tokio::time::sleep(time).await;
                    Err(status)
                }))
                .boxed(),
        };
        async { Ok(stream) }
    };
    let mut watching = watch(attach, cursor.into(), backoff, silence_max);
    while let Ok(Some(item)) = timeout(Duration::from_secs(3600), watching.next()).await {
        let mut run = run.lock().unwrap();
        match item {
            Ok(item) => run.items.push(item),
            Err(error) => run.failure = Some(error.code()),
        }
        if run.items.len() == ITEMS_MAX {
            break;
        }
    }
    std::mem::take(&mut *run.lock().unwrap())
}

fn part(things: &[&'static str]) -> Message {
    Batch {
        snapshot: things.into(),
        snapshot_complete: false,
        events: vec![],
        cursor: String::new(),
    }
}

fn snapshot(cursor: &str, things: &[&'static str]) -> Message {
    Batch {
        snapshot_complete: true,
        cursor: cursor.into(),
        ..part(things)
    }
}

fn events(cursor: &str, sequences: &[u64]) -> Message {
    Batch {
        events: sequences.into(),
        cursor: cursor.into(),
        ..part(&[])
    }
}

fn broken() -> End {
    End::With(Status::unavailable("the connection broke"))
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_comes_in_parts_is_told_as_one() {
    let parts = vec![part(&["a", "b"]), part(&["c"]), snapshot("c1", &["d"])];
    let run = run("", half(), [(parts, End::Not)]).await;
    assert_eq!(
        (run.told().as_str(), run.item_cursors()),
        ("[abcd]", vec!["c1"])
    );
}

#[tokio::test(start_paused = true)]
async fn a_host_without_sessions_is_told_by_an_empty_snapshot() {
    let run = run("", half(), [(vec![snapshot("c1", &[])], End::Not)]).await;
    assert_eq!(run.told(), "[]");
}

#[tokio::test(start_paused = true)]
async fn a_bookmark_is_resumed_from() {
    let run = run("c1", half(), [(vec![events("c7", &[])], broken())]).await;
    assert_eq!(run.told(), "bookmark Unavailable");
    assert_eq!(run.cursors, ["c1", "c7"]);
}

#[tokio::test(start_paused = true)]
async fn the_cursor_of_an_event_never_skips_those_that_came_with_it() {
    let batches = vec![events("c1", &[1]), events("c4", &[2, 3, 4])];
    let run = run("c0", half(), [(batches, End::Not)]).await;
    assert_eq!(run.item_cursors(), ["c1", "c1", "c1", "c4"]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_goes_on_without_gap_or_double() {
    let refused = |code, reason| End::With(received(code, [detail(&info(reason))]));
    for (end, code) in [
        (broken(), "Unavailable"),
        (
            refused(Code::ResourceExhausted, "WATCHER_TOO_SLOW"),
            "ResourceExhausted",
        ),
        (refused(Code::Unavailable, "HOST_STOPPING"), "Unavailable"),
        (refused(Code::Internal, "NEW_AND_STRANGE"), "Internal"),
        (End::Well, "Unavailable"),
    ] {
        let scripts = [
            (
                vec![snapshot("c0", &["a"]), events("c2", &[1, 2])],
                end.clone(),
            ),
            (vec![events("c3", &[3]), events("c5", &[4, 5])], end),
            (vec![events("c6", &[6])], End::Not),
        ];
        let run = run("", half(), scripts).await;
        assert_eq!(run.cursors, ["", "c2", "c5"]);
        assert_eq!(run.told(), format!("[a] 1 2 {code} 3 4 5 {code} 6"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_cursor_is_told_and_a_new_snapshot_follows() {
    let expired = received(Code::OutOfRange, [detail(&info("CURSOR_EXPIRED"))]);
    let anew = vec![snapshot("d4", &["z"]), events("d5", &[5])];
    let run = run(
        "c9",
        half(),
        [(vec![], End::With(expired)), (anew, End::Not)],
    )
    .await;
    assert_eq!(run.cursors, ["c9", ""]);
    assert_eq!(run.told(), "OutOfRange [z] 5");
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_broke_off_is_asked_for_anew() {
    let scripts = [
        (vec![part(&["a", "b"])], broken()),
        (vec![snapshot("c1", &["a"])], End::Not),
    ];
    let run = run("", half(), scripts).await;
    assert_eq!(run.cursors, ["", ""]);
    assert_eq!(run.told(), "Unavailable [a]");
}

#[tokio::test(start_paused = true)]
async fn pauses_double_up_to_their_bound_and_start_over_after_good_health() {
    let failures = std::iter::repeat_with(|| (vec![events("c1", &[1])], broken())).take(9);
    let stood = |time| {
        let End::With(status) = broken() else {
            unreachable!()
        };
        (vec![events("c2", &[2])], End::Later(time, status))
    };
    let just_short = stood(Duration::from_millis(9_999));
    let run = run("c0", half(), failures.chain([just_short, stood(HEALTHY)])).await;
    assert_eq!(
        run.pauses_ms(),
        [
            125, 250, 500, 1000, 2000, 4000, 8000, 15000, 15000, 15000, 125
        ]
    );
    assert_eq!(run.times_ms[..4], [0, 125, 375, 875]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_after_failures_to_reach_the_host_starts_the_pauses_over_once() {
    let answer = |reason| End::With(received(Code::ResourceExhausted, [detail(&info(reason))]));
    let expired = End::With(received(
        Code::OutOfRange,
        [detail(&info("CURSOR_EXPIRED"))],
    ));
    let scripts = [broken(), broken(), broken(), broken(), expired]
        .into_iter()
        .chain([answer("QUOTA_EXCEEDED"), answer("QUOTA_EXCEEDED")]);
    let run = run("c0", half(), scripts.map(|end| (vec![], end))).await;
    assert_eq!(run.pauses_ms(), [125, 250, 500, 1000, 125, 250, 500]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_says_nothing_is_taken_for_broken() {
    let silence_max = silence_max(BOOKMARK_INTERVAL_DEFAULT);
    let scripts = [(vec![events("c1", &[1])], End::Not), (vec![], End::Not)];
    let run = run_bounded("c0", half(), scripts, silence_max).await;
    assert!(
        run.told().starts_with("1 Unavailable Unavailable"),
        "{}",
        run.told()
    );
    assert_eq!(run.cursors[..3], ["c0", "c1", "c1"]);
    assert_eq!(run.times_ms[..3], [0, 30_125, 60_375]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_the_host_asks_for_is_kept() {
    let stopping = End::With(received(Code::Unavailable, [retry_in(5, 0)]));
    let run = run("c0", half(), [(vec![], stopping)]).await;
    assert_eq!((run.pauses_ms(), run.times_ms), (vec![5125], vec![0, 5125]));
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_no_timer_can_measure_is_five_minutes() {
    let forever = End::With(received(Code::Unavailable, [retry_in(i64::MAX, 0)]));
    let run = run("c0", half(), [(vec![], forever)]).await;
    assert_eq!(
        (run.pauses_ms(), run.times_ms),
        (vec![300_125], vec![0, 300_125])
    );
}

#[test]
fn a_pause_is_drawn_at_random_and_never_overflows() {
    let error = Error::new(Code::Unavailable, "");
    let pauses: Vec<_> = (0..100)
        .map(|_| Backoff::default().pause(3, &error))
        .collect();
    assert!(pauses.iter().all(|pause| *pause < Duration::from_secs(2)));
    assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    let longest = Backoff {
        initial: Duration::MAX,
        max: Duration::MAX,
        random: || 0.999,
    };
    assert!(longest.pause(u32::MAX, &error) > Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_watch_gives_up_where_trying_again_cannot_help() {
    for code in [
        Code::Unauthenticated,
        Code::PermissionDenied,
        Code::InvalidArgument,
        Code::Unimplemented,
    ] {
        let refused = End::With(received(code, []));
        let run = run("", half(), [(vec![events("c1", &[1])], refused)]).await;
        assert_eq!((run.told().as_str(), run.failure), ("1", Some(code)));
        assert_eq!(run.cursors.len(), 1);
    }
}
