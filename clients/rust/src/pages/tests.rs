use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

#[tokio::test]
async fn pages_are_asked_for_as_they_are_needed() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let list = || {
        pages(|token| {
            ASKED.fetch_add(1, Ordering::Relaxed);
            let page = match token.as_str() {
                "" => Ok((vec!["a", "b"], "second".into())),
                "second" => Ok((vec!["c"], "third".into())),
                _ => Err(Error::new(tonic::Code::InvalidArgument, "")),
            };
            std::future::ready(page)
        })
    };
    let told: Vec<_> = list().map(|thing| thing.unwrap_or("!")).collect().await;
    assert_eq!(told, ["a", "b", "c", "!"]);
    assert_eq!(list().next().await.unwrap().unwrap(), "a");
    assert_eq!(ASKED.load(Ordering::Relaxed), 4);
}
