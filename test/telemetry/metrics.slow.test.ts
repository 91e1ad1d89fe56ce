/**
 * `/metrics`, as Prometheus scrapes it from a daemon at work: each figure moves when what it counts
 * happens.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { loadLibraries } from '../../native/load.js';
import type { SessionHandle } from '../../native/wlanapi.js';
import { UpdateDeviceVisibilityRequest } from '../../proto/gen/wifidirect/v1/device_service.js';
import { chooseDriver } from '../../service/config/driver.js';
import { makeConfig } from '../../service/config/schema.js';
import { root } from '../../service/root.js';
import { makeAuthority } from '../access/authority.js';
import { Files } from '../access/files.js';
import { call } from '../harness/calls.js';
import { display, forklifts, gatewayForThisFile, robot } from '../harness/gateway.js';
import { framed, WireClient } from '../harness/grpc-wire.js';
import { Host } from '../harness/host.js';
import { RawPeer } from '../harness/raw-peer.js';
import { makeEvents, makeHistory, openLeased, unpaced } from '../stream/lively.js';
import { RawConnection } from '../stream/raw-client.js';

const gateway = gatewayForThisFile(
  ...[
    ...[
      'metrics.listen=127.0.0.1:0',
      'driver.slowCallsMax=1',
      'driver.nativeCallWarnMs=50',
      'session.leaseTtlMinMs=10',
    ],
    ...[
      'driver.probeIntervalMs=50',
      'driver.reopenBackoffMinMs=20',
      'events.logEventsMax=200',
      'events.watcherQueueEventsMax=100',
      'events.batchEventsMax=10',
    ],
    // Nobody listens there.
    ...['traces.endpoint=http://127.0.0.1:9/', 'traces.exportIntervalMs=10', 'traces.exportTimeoutMs=100'],
  ].flatMap((setting) => ['--set', setting]),
  ...unpaced,
);

const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };

type Figures = ReadonlyMap<string, number>;

type Daemon = { line(event: string): Promise<Readonly<Record<string, unknown>>> };

async function addressOf(daemon: Daemon): Promise<string> {
  return String((await daemon.line('metrics-serving'))['address']);
}

async function scrape(daemon: Daemon = gateway().daemon) {
  const response = await fetch(`http://${await addressOf(daemon)}/metrics`);
  const samples = (await response.text()).split('\n').filter((text) => text !== '' && !text.startsWith('#'));
  return new Map(
    samples.map((text) => [text.slice(0, text.lastIndexOf(' ')), Number(text.slice(text.lastIndexOf(' ')))]),
  );
}

/** How much each of these has risen. */
function rises(before: Figures, after: Figures, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, (after.get(name) ?? 0) - (before.get(name) ?? 0)]));
}

/** Waits until the figure is at least so much. */
function untilAtLeast(name: string, least: number): Promise<void> {
  return gateway().until(async () => ((await scrape()).get(name) ?? 0) >= least);
}

function rose(t: ExecutionContext, before: Figures, after: Figures, wanted: Readonly<Record<string, number>>): void {
  t.deepEqual(rises(before, after, Object.keys(wanted)), wanted);
}

test.serial('a session that is opened and closed: RPCs, states, outcomes, native calls, callbacks', async (t) => {
  const before = await scrape();
  const watch = gateway().watch();
  await watch.first(({ snapshotComplete }) => snapshotComplete);
  const { id, stream } = await gateway().openSession({ deviceAddress: display });
  const open = await scrape();
  rose(t, before, open, { 'wfdd_sessions{state="OPEN"}': 1, wfdd_watchers: 1, wfdd_streams: 2 });
  await gateway().close(id, { waitForDisconnect: true });
  await stream.ended;
  await watch.event(id, 'CLOSED');
  watch.cancel();
  const after = await scrape();
  rose(t, before, after, {
    'wfdd_rpcs_total{method="wifidirect.v1.SessionService/CloseSession",code="OK"}': 1,
    'wfdd_rpc_seconds_count{method="wifidirect.v1.SessionService/CloseSession"}': 1,
    'wfdd_session_open_seconds_count{outcome="OPENED"}': 1,
    'wfdd_session_close_seconds_count{evidence="DEVICE_DISCONNECTED"}': 1,
    'wfdd_sessions_ended_total{state="CLOSED",reason="REQUESTED",evidence="DEVICE_DISCONNECTED"}': 1,
    'wfdd_native_calls_total{function="WFDCloseSession",code="0"}': 1,
    'wfdd_native_call_seconds_count{function="WFDCloseSession"}': 1,
    'wfdd_callback_to_wire_seconds_count{method="wifidirect.v1.SessionService/OpenSession"}': 1,
    'wfdd_callback_to_wire_seconds_count{method="wifidirect.v1.SessionService/WatchSessions"}': 1,
    'wfdd_sessions{state="OPEN"}': 0,
  });
  const latency = after.get('wfdd_callback_to_wire_seconds_sum{method="wifidirect.v1.SessionService/OpenSession"}');
  t.true(latency !== undefined && latency > 0 && latency < 5, `${latency} s`);
});

test.serial(
  'native codes count by a closed set: a HRESULT as the code inside it, what has no name as other',
  async (t) => {
    const before = await scrape();
    for (const code of [0x8007_0490, 0x8000_4005, 0xdead_beef, 777_777]) {
      await gateway().world.scriptOpen({ deviceAddress: display, code });
      await gateway().open({ deviceAddress: display }).ended;
    }
    rose(t, before, await scrape(), {
      'wfdd_native_calls_total{function="WFDStartOpenSession",code="1168"}': 1,
      'wfdd_native_calls_total{function="WFDStartOpenSession",code="other"}': 3,
    });
  },
);

test.serial('connections, the calls on them, and what a message on its way holds', async (t) => {
  // The watch of the test before may still be on its way out.
  await gateway().until(async () => (await scrape()).get('wfdd_calls_in_flight') === 0);
  const before = await scrape();
  using client = new WireClient(gateway().daemon.address);
  const half = client.start('wifidirect.v1.HostService/GetHost');
  await untilAtLeast('wfdd_calls_in_flight', 1);
  half.write(framed(Buffer.alloc(1000), { length: 2000 }));
  await untilAtLeast('wfdd_transit_bytes', 1005);
  rose(t, before, await scrape(), { wfdd_connections: 1, wfdd_calls_in_flight: 1, wfdd_transit_bytes: 1005 });
  half.close();
  await gateway().until(async () => (await scrape()).get('wfdd_transit_bytes') === 0);
  client.session.destroy();
  await gateway().until(async () => (await scrape()).get('wfdd_connections') === before.get('wfdd_connections'));
  rose(t, before, await scrape(), { wfdd_connections: 0, wfdd_calls_in_flight: 0 });
});

test.serial('an RPC that nobody serves, under one name for all', async (t) => {
  const before = await scrape();
  using client = new WireClient(gateway().daemon.address);
  for (const rpc of ['admin.v1.Shell/Run', 'wifidirect.v1.HostService/Nothing'])
    await client.call(rpc, framed(Buffer.alloc(0)));
  rose(t, before, await scrape(), { 'wfdd_denials_total{method="unserved",code="UNIMPLEMENTED"}': 2 });
});

test.serial('a callback from before a stream is no news to it', async (t) => {
  const { newestCursor: cursor } = await gateway().getHost();
  const { id, stream } = await gateway().openSession({ deviceAddress: display });
  const before = await scrape();
  const watch = gateway().watch({ cursor });
  await watch.event(id, 'OPENED');
  rose(t, before, await scrape(), {
    wfdd_watchers: 1,
    'wfdd_callback_to_wire_seconds_count{method="wifidirect.v1.SessionService/WatchSessions"}': 0,
  });
  watch.cancel();
  await gateway().close(id);
  await stream.ended;
});

test.serial('an open that fails', async (t) => {
  const before = await scrape();
  await gateway().open({ deviceAddress: robot }).status();
  rose(t, before, await scrape(), {
    'wfdd_rpcs_total{method="wifidirect.v1.SessionService/OpenSession",code="ABORTED"}': 1,
    'wfdd_session_open_seconds_count{outcome="OPEN_FAILED"}': 1,
    'wfdd_sessions_ended_total{state="FAILED",reason="OPEN_FAILED",evidence="NONE"}': 1,
  });
});

test.serial('a lease that lapses', async (t) => {
  const before = await scrape();
  const stream = gateway().open({ deviceAddress: display, leaseTtl: { nanos: 20_000_000 } });
  await stream.ended;
  rose(t, before, await scrape(), { 'wfdd_session_events_total{type="LEASE_EXPIRED"}': 1 });
});

test.serial('native calls that are slow, and those that wait for their turn behind them', async (t) => {
  const before = await scrape();
  const { devices, world } = gateway();
  await world.scriptCall({ function: 'WFDUpdateDeviceVisibility', blockMs: 'never' });
  const looks = forklifts.map((deviceAddress) =>
    call(
      devices.updateDeviceVisibility.bind(devices),
      UpdateDeviceVisibilityRequest.fromPartial({ deviceAddress }),
      30_000,
    ),
  );
  await untilAtLeast('wfdd_native_calls_waiting{lane="slow"}', 1);
  await untilAtLeast(
    'wfdd_native_calls_slow_total{function="WFDUpdateDeviceVisibility"}',
    1 + (before.get('wfdd_native_calls_slow_total{function="WFDUpdateDeviceVisibility"}') ?? 0),
  );
  const during = await scrape();
  rose(t, before, during, { wfdd_requests_in_flight: 2 });
  t.true((during.get('wfdd_native_calls_in_flight') ?? 0) >= 2);
  await gateway().until(async () => {
    await world.releaseCalls();
    return (await scrape()).get('wfdd_requests_in_flight') === 0;
  });
  await Promise.all(looks);
  t.is((await scrape()).get('wfdd_native_calls_waiting{lane="slow"}'), 0);
});

test.serial('a reader that is slow: what waits for it, its end, and what the log has trimmed', async (t) => {
  const before = await scrape();
  const ids = await openLeased(gateway(), 2);
  const connection = await RawConnection.open(gateway().daemon.address, { windowBytes: 0 });
  const slow = connection.watch();
  await slow.headers;
  await makeEvents(gateway(), ids, 50);
  t.true(((await scrape()).get('wfdd_events_waiting') ?? 0) >= 20);
  await makeEvents(gateway(), ids, 250);
  const after = await scrape();
  rose(t, before, after, {
    'wfdd_slow_readers_ended_total{method="wifidirect.v1.SessionService/WatchSessions"}': 1,
  });
  await makeHistory(gateway(), 250);
  const trimmed = await scrape();
  t.true((trimmed.get('wfdd_events_trimmed_total') ?? 0) > (before.get('wfdd_events_trimmed_total') ?? 0));
  t.true((trimmed.get('wfdd_events_logged') ?? 0) <= 200);
  t.true(
    (after.get('wfdd_event_publish_seconds_count') ?? 0) - (before.get('wfdd_event_publish_seconds_count') ?? 0) >= 300,
  );
  connection.cut();
});

test.serial('series of closed sets are there at 0 before anything of theirs has happened', async (t) => {
  await using host = await Host.start({ metrics: { listen: '127.0.0.1:0' } });
  const figures = await scrape(host.log);
  for (const series of [
    'wfdd_rpcs_total{method="wifidirect.v1.SessionService/OpenSession",code="INTERNAL"}',
    'wfdd_denials_total{method="wifidirect.v1.SessionService/OpenSession",code="PERMISSION_DENIED"}',
    'wfdd_denials_total{method="unserved",code="UNIMPLEMENTED"}',
    'wfdd_sessions_ended_total{state="LOST",reason="DRIVER_LOST",evidence="NONE"}',
    'wfdd_sessions_ended_total{state="CLOSED",reason="PEER_DISCONNECTED",evidence="UNCONFIRMED"}',
    'wfdd_session_events_total{type="FAILED"}',
    'wfdd_session_open_seconds_count{outcome="OPEN_FAILED"}',
    'wfdd_native_calls_slow_total{function="WFDCloseSession"}',
    'wfdd_slow_readers_ended_total{method="wifidirect.v1.SessionService/WatchSessions"}',
    'wfdd_reload_failures_total{what="TLS files"}',
    'wfdd_log_lines_dropped_total{output="log"}',
    'wfdd_handles_lost_total',
    'wfdd_degraded{reason="WLAN_SERVICE_NOT_RUNNING"}',
  ]) {
    t.is(figures.get(series), 0, series);
  }
});

test.serial('what the host is: its build, its limits, and no certificate', async (t) => {
  const figures = await scrape();
  t.is(figures.get(`wfdd_build_info{version="${version}",node="${process.version}",driver="simulator"}`), 1);
  t.is(figures.get('wfdd_limit{name="event_log_events_max"}'), 200);
  t.is(figures.get('wfdd_limit{name="lease_ttl_min_seconds"}'), 0.01);
  t.is(figures.get('wfdd_certificate_expire_time_seconds'), Number.NaN);
});

test.serial('a host that is degraded says why, and counts the handle that it lost', async (t) => {
  const before = await scrape();
  await gateway().world.stopService();
  await untilAtLeast('wfdd_degraded{reason="WLAN_SERVICE_NOT_RUNNING"}', 1);
  rose(t, before, await scrape(), { wfdd_handles_lost_total: 1 });
  await gateway().world.startService();
  await untilAtLeast('wfdd_serving', 1);
  t.is((await scrape()).get('wfdd_degraded{reason="WLAN_SERVICE_NOT_RUNNING"}'), 0);
});

test.serial('with TLS, when its certificate expires', async (t) => {
  using files = new Files();
  const authority = makeAuthority('Authority');
  const server = authority.issue({ commonName: 's', isServer: true });
  const [certFile, keyFile] = [files.write('s.pem', server.cert), files.write('s.key', server.key)];
  await using host = await Host.start({ metrics: { listen: '127.0.0.1:0' }, tls: { certFile, keyFile } });
  const expireTimeMs = Date.parse(new X509Certificate(server.cert).validTo);
  t.is((await scrape(host.log)).get('wfdd_certificate_expire_time_seconds'), expireTimeMs / 1000);
});

test.serial('spans that reach no collector', async (t) => {
  await untilAtLeast('wfdd_spans_lost_total', 1);
  t.pass();
});

test.serial('the process itself: memory, event loop, whether it serves', async (t) => {
  const figures = await scrape();
  t.is(figures.get('wfdd_serving'), 1);
  for (const name of [
    'process_resident_memory_bytes',
    'nodejs_heap_size_used_bytes',
    'process_cpu_user_seconds_total',
    'nodejs_eventloop_lag_p99_seconds',
  ]) {
    t.true((figures.get(name) ?? 0) > 0, name);
  }
});

test.serial('misuse of the simulator, by its kind', async (t) => {
  await using host = await Host.start({ metrics: { listen: '127.0.0.1:0' } });
  const choice = chooseDriver(makeConfig({ driver: { kind: 'simulator' } }), process.platform);
  const library = choice.kind === 'simulator' ? choice.library : '';
  const { wlanapi } = loadLibraries({ wlanapi: library, iphlpapi: library, cfgmgr32: library });
  t.is((await scrape(host.log)).get('wfdd_native_misuse_total{kind="UNKNOWN_HANDLE"}'), 0);
  await wlanapi.WFDCloseSession(4711n as SessionHandle);
  t.is((await scrape(host.log)).get('wfdd_native_misuse_total{kind="UNKNOWN_HANDLE"}'), 1);
});

/** The first line of the answer to these words. */
async function answerTo(request: string): Promise<string> {
  const peer = await RawPeer.connect(await addressOf(gateway().daemon));
  await peer.send(Buffer.from(request));
  await peer.closed;
  return peer.text;
}

test.serial('/metrics is answered whatever query follows it, to HEAD, and by its whole URL', async (t) => {
  const host = `Host: ${await addressOf(gateway().daemon)}\r\nConnection: close\r\n\r\n`;
  for (const target of ['/metrics', '/metrics?x=y', `http://${await addressOf(gateway().daemon)}/metrics`]) {
    t.regex(await answerTo(`GET ${target} HTTP/1.1\r\n${host}`), /^HTTP\/1\.1 200 [\s\S]*wfdd_serving 1\n/, target);
    t.regex(await answerTo(`HEAD ${target} HTTP/1.1\r\n${host}`), /^HTTP\/1\.1 200 [\s\S]*\r\n\r\n$/, target);
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const answer = await answerTo(`${method} /metrics HTTP/1.1\r\n${host}`);
    t.regex(answer, /^HTTP\/1\.1 405 [\s\S]*\r\nallow: GET, HEAD\r\n/i, method);
  }
  for (const target of ['/', '/metrics/', '/Metrics', '//metrics', '*', 'http://['])
    t.regex(await answerTo(`GET ${target} HTTP/1.1\r\n${host}`), /^HTTP\/1\.1 40[04] /, target);
});

test.serial('who asks a thousand times at once is answered once, and who only connects takes few places', async (t) => {
  const address = await addressOf(gateway().daemon);
  const greedy = await RawPeer.connect(address);
  await greedy.send(Buffer.from('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(1000)));
  await greedy.closed;
  t.is(greedy.text.match(/^HTTP\/1\.1 200 /gm)?.length, 1);
  const idle = await Promise.all(Array.from({ length: 30 }, () => RawPeer.connect(address)));
  await Promise.race(idle.map(({ closed }) => closed));
  for (const peer of idle) peer.destroy();
});
