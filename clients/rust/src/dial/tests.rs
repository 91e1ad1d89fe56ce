use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::Code;
use crate::client::Client;
use crate::error::Error;
use crate::sessions::WatchOptions;
use crate::watch::WatchItem;
use futures_util::StreamExt;

const SOON: Duration = Duration::from_millis(200);
/// The settings that an HTTP/2 host begins with: none.
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

/// A host that treats each connection so; its address.
async fn host<Treating>(treat: fn(TcpStream) -> Treating) -> String
where
    Treating: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("it listens");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(treat(stream));
        }
    });
    address
}

async fn silent(mut stream: TcpStream) {
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard).await;
}

async fn refusal(address: &str, connect_timeout: Duration) -> Error {
    let client = Client::builder()
        .connect_timeout(connect_timeout)
        .connect(address);
    client.expect("a client").host().await.unwrap_err()
}

#[tokio::test]
async fn a_host_that_accepts_and_is_silent_is_given_up_again_and_again() {
    let address = host(silent).await;
    let client = Client::builder()
        .connect_timeout(SOON)
        .connect(&address)
        .expect("a client");
    for _ in 0..2 {
        let error = client.host().await.unwrap_err();
        assert_eq!((error.code(), error.reason()), (Code::Unavailable, None));
        assert!(
            error.message().contains("no answer within 200ms"),
            "{error}"
        );
    }
    let error = client
        .sessions()
        .open("02:11:22:33:44:01")
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    let mut watch = client.sessions().watch(WatchOptions::default());
    assert!(matches!(
        watch.next().await,
        Some(Ok(WatchItem::Disconnected { error, .. })) if error.code() == Code::Unavailable
    ));
}

#[tokio::test]
async fn a_host_that_answers_may_take_its_time_for_the_rest() {
    let address = host(|mut stream| async move {
        let _ = stream.write_all(&SETTINGS).await;
        silent(stream).await;
    })
    .await;
    let client = Client::builder()
        .connect_timeout(SOON)
        .timeout(SOON * 3)
        .connect(&address)
        .expect("a client");
    let error = client.host().await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_host_that_is_silent_instead_of_tls_is_given_up() {
    let address = host(silent).await;
    let client = Client::builder()
        .connect_timeout(SOON)
        .tls_config(crate::tls::tests::trusting_nobody())
        .connect(&address)
        .expect("a client");
    let error = client.host().await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(
        error.message().contains("no answer within 200ms"),
        "{error}"
    );
}

#[tokio::test]
async fn a_host_that_hangs_up_is_unavailable() {
    let address = host(|_| async {}).await;
    let error = refusal(&address, SOON).await;
    assert_eq!((error.code(), error.reason()), (Code::Unavailable, None));
}

#[cfg(unix)]
#[tokio::test]
async fn a_socket_that_is_not_there_is_named() {
    let error = refusal("unix:/no/such/socket", SOON).await;
    assert_eq!(error.code(), Code::Unavailable);
    let wanted = "can't connect to unix:/no/such/socket: No such file";
    assert!(error.message().contains(wanted), "{error}");
}
