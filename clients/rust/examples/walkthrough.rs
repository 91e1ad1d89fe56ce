//! A remote client's walk through the life of three sessions, and of a watch that is cut:
//!
//! ```sh
//! cargo run --example walkthrough HOST:PORT
//! ```
//!
//! It knows the host only by its address, and fails where something is not as the contract says.

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use wifi_direct_gateway::v1::{Device, DisconnectEvidence, SessionState};
use wifi_direct_gateway::{Backoff, Client, Reason, WatchItem, WatchOptions};

type Walk<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Walk {
    let Some(address) = std::env::args().nth(1) else {
        return Err("Usage: walkthrough HOST:PORT".into());
    };
    tokio::time::timeout(Duration::from_secs(60), walk(&address)).await??;
    println!("\nok");
    Ok(())
}

async fn walk(address: &str) -> Walk {
    let client = Client::connect(address)?;
    let (near, far) = introduce(&client).await?;
    let chapter = Chapter::begin(
        1,
        &format!("A session to {} opens, and is closed", near.name),
    );
    open_and_close(&client, &near, &chapter).await?;
    let title = format!("A session to {}, which is out of range, fails", far.name);
    fail(&client, &far, &Chapter::begin(2, &title)).await?;
    let title = format!("A session to {} is cancelled while it opens", near.name);
    cancel_open(&client, &near, &Chapter::begin(3, &title)).await?;
    let chapter = Chapter::begin(4, "A watch is cut off, misses a session, and resumes");
    cut_watch(&client, address, &near, &chapter).await
}

/// Lists the devices, and picks one that is in range and one that is not.
async fn introduce(client: &Client) -> Walk<(Device, Device)> {
    let host = client.host().await?;
    let driver = host.driver.unwrap_or_default();
    println!(
        "The host is {}, its driver {:?}. Its paired devices:",
        host.hostname,
        driver.kind()
    );
    let devices: Vec<Device> = client.devices().list().try_collect().await?;
    for device in &devices {
        println!("  {}  {}", device.device_address, device.name);
    }
    let near = devices
        .iter()
        .find(|device| device.is_visible() && !device.is_legacy());
    let far = devices
        .iter()
        .find(|device| device.is_visible == Some(false));
    let both = near.cloned().zip(far.cloned());
    both.ok_or_else(|| "the host lacks the devices that this walk needs".into())
}

async fn open_and_close(client: &Client, device: &Device, chapter: &Chapter) -> Walk {
    let mut session = client.sessions().open(device).await?;
    let opened = session.wait_open().await?;
    chapter.tell(
        "OPEN",
        &format!(
            "interface {}",
            opened.network_interface.unwrap_or_default().guid
        ),
    );
    let closed = session.close().await?;
    while let Some(event) = session.try_next().await? {
        chapter.tell(event.r#type().as_str_name(), "");
    }
    let evidence = closed.end.clone().unwrap_or_default().evidence();
    chapter.tell("", &format!("evidence {}", short(evidence.as_str_name())));
    let is_seen = evidence != DisconnectEvidence::Unconfirmed;
    expect(
        closed.state() == SessionState::Closed && is_seen,
        "the end of the connection was seen",
    )
}

async fn fail(client: &Client, device: &Device, chapter: &Chapter) -> Walk {
    let mut session = client.sessions().open(device).await?;
    let error = loop {
        match session
            .next()
            .await
            .ok_or("not as promised: the open has not failed")?
        {
            Ok(event) => chapter.tell(event.r#type().as_str_name(), ""),
            Err(error) => break error,
        }
    };
    let native = error
        .native()
        .ok_or("not as promised: the failure has a native code")?;
    chapter.tell(
        "",
        &format!(
            "{:?}, {}",
            error.code(),
            error.reason_name().unwrap_or_default()
        ),
    );
    chapter.tell(
        "",
        &format!("{}: {} {}", native.function, native.code, native.name),
    );
    chapter.tell(
        "",
        &format!("reason {}: {}", native.reason_code, native.reason_text),
    );
    expect(
        error.reason() == Some(Reason::OpenFailed),
        "the reason is OPEN_FAILED",
    )
}

async fn cancel_open(client: &Client, device: &Device, chapter: &Chapter) -> Walk {
    let mut session = client.sessions().open(device).await?;
    client.sessions().cancel(session.id()).await?;
    let mut last = SessionState::Unspecified;
    while let Some(event) = session.try_next().await? {
        chapter.tell(event.r#type().as_str_name(), "");
        last = event.session.unwrap_or_default().state();
    }
    expect(
        last == SessionState::Cancelled,
        "a cancelled session ends CANCELLED",
    )
}

/// Watches by a way of its own, which is cut while a session comes and goes.
async fn cut_watch(client: &Client, address: &str, device: &Device, chapter: &Chapter) -> Walk {
    let way = Way::to(address).await?;
    let watcher = Client::connect(&way.address)?;
    let backoff = Backoff::new(Duration::from_millis(50), Duration::from_millis(200));
    let mut items = watcher
        .sessions()
        .watch(WatchOptions::default().backoff(backoff));
    let mut missed = String::new();
    let mut last = None;
    while let Some(item) = items.try_next().await? {
        match item {
            WatchItem::Snapshot { items, .. } => {
                chapter.tell("snapshot", &format!("{} sessions", items.len()));
                way.cut();
                missed = open_and_close_unseen(client, device, chapter).await?;
            }
            WatchItem::Disconnected { error, .. } if missed.is_empty() => return Err(error.into()),
            WatchItem::Disconnected { retry_in, .. } => {
                chapter.tell(
                    "disconnected",
                    &format!("again in {} ms", retry_in.as_millis()),
                );
                way.mend();
            }
            WatchItem::Change { event, .. } => {
                chapter.tell(event.r#type().as_str_name(), "");
                let follows = last.is_none_or(|last| event.sequence == last + 1);
                expect(follows, "the events follow one another")?;
                last = Some(event.sequence);
                let session = event.session.unwrap_or_default();
                if session.session_id == missed && session.state() == SessionState::Closed {
                    return Ok(());
                }
            }
            _ => {}
        }
    }
    Err("not as promised: the watch has ended".into())
}

async fn open_and_close_unseen(
    client: &Client,
    device: &Device,
    chapter: &Chapter,
) -> Walk<String> {
    let mut session = client.sessions().open(device).await?;
    session.wait_open().await?;
    session.close().await?;
    chapter.tell("", "meanwhile, a session came and went");
    Ok(session.id().to_owned())
}

/// A way to a host that can be cut.
struct Way {
    address: String,
    /// None: it is cut.
    links: Arc<Mutex<Option<JoinSet<()>>>>,
}

impl Way {
    async fn to(host: &str) -> Walk<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let links = Arc::new(Mutex::new(Some(JoinSet::new())));
        let way = Self {
            address,
            links: links.clone(),
        };
        let host = host.to_owned();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if let Some(links) = links.lock().unwrap().as_mut() {
                    links.spawn(carry(near, host.clone()));
                }
            }
        });
        Ok(way)
    }

    fn cut(&self) {
        self.links.lock().unwrap().take();
    }

    fn mend(&self) {
        self.links.lock().unwrap().get_or_insert_default();
    }
}

async fn carry(mut near: TcpStream, host: String) {
    if let Ok(mut far) = TcpStream::connect(host).await {
        // However it ends, both are closed.
        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    }
}

struct Chapter(Instant);

impl Chapter {
    fn begin(number: u32, title: &str) -> Self {
        println!("\n{number}. {title}");
        Self(Instant::now())
    }

    fn tell(&self, label: &str, text: &str) {
        let line = format!(
            "   +{:.3} s  {:<12} {text}",
            self.0.elapsed().as_secs_f64(),
            short(label)
        );
        println!("{}", line.trim_end());
    }
}

/// The name of an enum value without its prefix.
fn short(name: &str) -> &str {
    let prefixes = ["SESSION_EVENT_TYPE_", "DISCONNECT_EVIDENCE_"];
    prefixes
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name)
}

fn expect(is_so: bool, what: &str) -> Walk {
    if is_so {
        Ok(())
    } else {
        Err(format!("not as promised: {what}").into())
    }
}
