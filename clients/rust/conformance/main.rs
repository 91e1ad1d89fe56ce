//! Does through the library what lines of JSON on the standard input say, for the tests of all
//! clients. The words are those of `test/conformance/protocol.ts`.

mod items;

use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::task::AbortHandle;
use wifi_direct_gateway::tonic::metadata::{Ascii, MetadataKey};
use wifi_direct_gateway::{
    Backoff, BoxError, Client, Error, ListOptions, OpenRequest, WatchOptions,
};

type Items = BoxStream<'static, Result<Value, Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut client = None;
    let mut tasks: HashMap<u64, AbortHandle> = HashMap::new();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let command = Command(serde_json::from_str(&line)?);
        let id = command.number("id").unwrap_or_default();
        match command.text("do").as_str() {
            "connect" => {
                // What the one before was asked for ends with it.
                for (_, task) in tasks.drain() {
                    task.abort();
                }
                let connected = connect(&command);
                end(id, connected.as_ref().err());
                client = connected.ok();
            }
            "leave" => {
                let left = command.number("command").and_then(|id| tasks.remove(&id));
                left.iter().for_each(AbortHandle::abort);
                end(id, None);
            }
            _ => {
                let client = client.clone().ok_or("there is no client")?;
                let task = tokio::spawn(async move {
                    let mut items = carry_out(client, &command);
                    while let Some(item) = items.next().await {
                        match item {
                            Ok(item) => write(&json!({ "id": id, "item": item })),
                            Err(error) => return end(id, Some(&error)),
                        }
                    }
                    end(id, None);
                });
                tasks.insert(id, task.abort_handle());
            }
        }
    }
    Ok(())
}

fn connect(command: &Command) -> Result<Client, Error> {
    let mut builder = Client::builder();
    if let Some(path) = command.0["caFile"].as_str() {
        builder = builder.ca_file(path);
    }
    if command.0["certFile"].is_string() || command.0["keyFile"].is_string() {
        builder = builder.identity_files(command.text("certFile"), command.text("keyFile"));
    }
    if let Some(token) = command.0["token"].as_str() {
        builder = builder.token(token);
    }
    if command.0["tokenFails"] == true {
        builder = builder.token_source(|| std::future::ready(Err("the vault is sealed")));
    }
    if let Some(timeout) = command.milliseconds("timeoutMs") {
        builder = builder.timeout(timeout);
    }
    if let Some(timeout) = command.milliseconds("connectTimeoutMs") {
        builder = builder.connect_timeout(timeout);
    }
    if let Some(names) = command.0["metadata"].as_object().cloned() {
        builder = builder.metadata(move |metadata| {
            for (name, value) in &names {
                let name: MetadataKey<Ascii> = name.parse()?;
                metadata.insert(name, value.as_str().unwrap_or_default().parse()?);
            }
            Ok::<_, BoxError>(())
        });
    }
    builder.connect(&command.text("address"))
}

fn carry_out(client: Client, command: &Command) -> Items {
    let sessions = client.sessions();
    let id = command.text("sessionId");
    match command.text("do").as_str() {
        "open" => {
            let mut request = OpenRequest::from(command.text("deviceAddress").as_str())
                .session_id(id)
                .request_id(command.text("requestId"))
                .open_timeout(command.milliseconds("openTimeoutMs"))
                .lease_ttl(command.milliseconds("leaseTtlMs"));
            if let Some(interval) = command.milliseconds("heartbeatIntervalMs") {
                let interval = Some(interval).filter(|interval| !interval.is_zero());
                request = request.heartbeat_interval(interval);
            }
            stream::once(async move { sessions.open(request).await })
                .try_flatten()
                .map_ok(|event| json!({ "event": items::event(&event) }))
                .boxed()
        }
        "watch" => {
            let bound = |key, usual| {
                let given = command.milliseconds(key);
                given.unwrap_or(Duration::from_millis(usual))
            };
            let options = WatchOptions::default()
                .cursor(command.text("cursor"))
                .session_ids(command.texts("sessionIds"))
                .bookmark_interval(command.milliseconds("bookmarkIntervalMs"))
                .backoff(Backoff::new(
                    bound("backoffInitialMs", 20),
                    bound("backoffMaxMs", 100),
                ));
            sessions.watch(options).map_ok(items::watched).boxed()
        }
        "get" => one(async move { Ok(items::session_at(&sessions.get(&id).await?)) }),
        "cancel" => one(async move { Ok(items::session_at(&sessions.cancel(&id).await?)) }),
        "close" if command.0["wait"] == true => {
            one(async move { Ok(items::session_at(&sessions.close_and_wait(&id).await?)) })
        }
        "close" => one(async move { Ok(items::session_at(&sessions.close(&id).await?)) }),
        "renew" => {
            let lease_ttl = command.milliseconds("leaseTtlMs");
            one(async move { Ok(items::session_at(&sessions.renew(&id, lease_ttl).await?)) })
        }
        "sessions" => sessions
            .list(ListOptions::default())
            .map_ok(|session| json!({ "session": items::session(&session) }))
            .boxed(),
        "devices" => client
            .devices()
            .list()
            .map_ok(|device| items::device(&device))
            .boxed(),
        "find" => {
            let address = command.text("deviceAddress");
            one(async move {
                let found = client.devices().update_visibility(&address, None).await?;
                Ok(items::device(&found.device.unwrap_or_default()))
            })
        }
        "host" => one(async move {
            let host = items::host(&client.host().await?);
            Ok(json!({ "host": host, "health": client.health("").await?.as_str_name() }))
        }),
        other => unreachable!("there is no {other:?}"),
    }
}

fn one(item: impl Future<Output = Result<Value, Error>> + Send + 'static) -> Items {
    stream::once(item).boxed()
}

fn end(id: u64, error: Option<&Error>) {
    write(&json!({ "id": id, "end": { "error": error.map(items::error) } }));
}

fn write(line: &Value) {
    // Nobody reads any more: the input ends, too.
    let _ = writeln!(std::io::stdout(), "{line}");
}

struct Command(Value);

impl Command {
    fn number(&self, key: &str) -> Option<u64> {
        self.0[key].as_u64()
    }

    /// No Duration is negative: that is none.
    fn milliseconds(&self, key: &str) -> Option<Duration> {
        let milliseconds = self.0[key].as_i64()?;
        Some(Duration::from_millis(milliseconds.try_into().unwrap_or(0)))
    }

    /// Empty where it is unset.
    fn text(&self, key: &str) -> String {
        self.0[key].as_str().unwrap_or_default().into()
    }

    fn texts(&self, key: &str) -> Vec<String> {
        let values = self.0[key].as_array().into_iter().flatten();
        values
            .filter_map(|value| value.as_str().map(Into::into))
            .collect()
    }
}
