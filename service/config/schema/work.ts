/** The schema of the driver, sessions, limits, events, journal, keepalive and shutdown. */
import { boolean, bytes, choice, count, group, milliseconds, path } from './leaf.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** The longest time of most keys. Node's timers fire at once above 24.8 days. */
const DAY = 24 * HOUR;

export const driver = group('The Wi-Fi Direct driver.', {
  kind: choice(['auto', 'wlanapi', 'simulator'], 'auto', {
    description: 'The driver: wlanapi.dll of Windows, or the simulator.',
    why: 'auto is wlanapi on Windows and simulator elsewhere, so no Windows host simulates by accident.',
  }),
  simulatorLibrary: path('any', '/opt/wfdd/libwfdsim.so', {
    description: 'The library of the simulator.',
    why: 'If it is not set, the library that was built or bundled with the daemon is used.',
  }),
  simulatorService: boolean(false, {
    description: 'Serve wifidirect.simulator.v1, with which clients can script faults.',
    why: 'For tests only: every client can control the simulated devices.',
  }),
  probeIntervalMs: milliseconds(5 * SECOND, [10, HOUR], {
    description: 'How often the daemon checks that the WLAN service still answers.',
    why: 'Windows does not report when the service stops. This bounds how long health and sessions are out of date.',
  }),
  reopenBackoffMinMs: milliseconds(250, [1, HOUR], {
    description: 'How long to wait before the first attempt to reopen the native client handle.',
    why: 'A service that restarts is back within about a second.',
  }),
  reopenBackoffMaxMs: milliseconds(30 * SECOND, [1, HOUR], {
    description: 'The longest wait between two attempts to open the native client handle.',
    why: 'While the WLAN service is off for hours, the host should not be busy, and should notice soon when it returns.',
  }),
  nativeCallsMax: count(12, [4, 1000], {
    description:
      'How many native calls can run at once. slowCallsMax of them are for slow calls, and the rest is divided among calls that start, end and query.',
    why: 'Each call blocks a thread of the pool (16 by default). File access and name resolution need the remaining threads.',
  }),
  slowCallsMax: count(4, [1, 997], {
    description: 'How many of the native calls can be slow ones: opening a legacy session, discovering a device.',
    why: 'Slow calls block by design. At least three calls remain for the others, so that closes and cancels find a thread.',
  }),
  nativeCallWarnMs: milliseconds(5 * SECOND, [1, HOUR], {
    description: 'A native call that takes longer is logged and counted as slow.',
    why: 'Windows documents no time limit for any call. After 5 s a person would ask what is wrong.',
  }),
  linkPollMs: milliseconds(500, [10, HOUR], {
    description:
      'How often the links of open and closing sessions are checked, in addition to notifications. A host with many sessions checks less often: at most 1 % of the time, and at least once a minute.',
    why: 'Windows does not guarantee notifications. A delay of half a second is hardly noticeable.',
  }),
});

export const session = group('Sessions: timeouts, leases and retention.', {
  openTimeoutMs: milliseconds(MINUTE, [1, DAY], {
    description: 'How long an open can take if the client sets no timeout.',
    why: 'A person may have to accept the connection at the device.',
  }),
  openTimeoutMaxMs: milliseconds(10 * MINUTE, [1, DAY], {
    description: 'The longest open timeout that a client can set.',
    why: 'A pending open occupies the radio and counts against the limits on sessions.',
  }),
  closeTimeoutMs: milliseconds(15 * SECOND, [1, DAY], {
    description:
      'How long to wait for the disconnection after a close. After that the session is CLOSED with UNCONFIRMED. If Windows answers a cancel with an unknown handle, also how long to wait for the callback of the open before the session is LOST.',
    why: 'Windows only queues the close and documents no time limit, but clients that wait for CLOSED need an answer.',
  }),
  retentionMs: milliseconds(10 * MINUTE, [0, DAY], {
    description: 'How long an ended session and its request ids are kept.',
    why: 'A client that lost its connection can still learn the outcome after it reconnects.',
  }),
  endedSessionsMax: count(10_000, [0, 1_000_000], {
    description: 'How many ended sessions are kept. Beyond that the oldest are dropped.',
    why: 'Bounds the memory of failing opens, whatever their rate.',
  }),
  requestMemoryMax: count(10_000, [0, 1_000_000], {
    description: 'How many request ids of closes, cancels and renewals are kept. Beyond that the oldest are dropped.',
    why: 'They only need to be recognized for a while. Request ids of opens are kept with their sessions.',
  }),
  leaseTtlMinMs: milliseconds(SECOND, [1, DAY], {
    description: 'The shortest lease that a client can request.',
    why: 'A shorter lease would expire during an ordinary network delay.',
  }),
  leaseTtlMaxMs: milliseconds(DAY, [1, DAY], {
    description: 'The longest lease that a client can request.',
    why: 'A client that has crashed must not keep the device for longer.',
  }),
});

export const limits = group('Limits, per principal and in total.', {
  sessionsMax: count(256, [1, 100_000], {
    description: 'How many sessions can be live at once.',
    why: 'Far above what one radio supports, but it stops a client that opens in a loop.',
  }),
  sessionsPerPrincipalMax: count(64, [1, 100_000], {
    description: 'How many live sessions one principal can own.',
    why: 'A quarter of the total, so that no single client can use all of them.',
  }),
  watchersMax: count(1000, [1, 100_000], {
    description: 'How many watches can be open at once, of sessions and devices together.',
    why: 'Each watch holds a stream and possibly waiting messages. This bounds their sum.',
  }),
  watchersPerPrincipalMax: count(100, [1, 100_000], {
    description: 'How many watches one principal can have open.',
    why: 'A tenth of the total, so that a client that leaks watches does not affect the others.',
  }),
  watchedIdsMax: count(100_000, [1, 100_000_000], {
    description: 'How many session ids and device addresses all open watches can name together.',
    why: 'Each takes about 150 bytes while the watch is open. One watch can name 10,000.',
  }),
  watchedIdsPerPrincipalMax: count(20_000, [1, 100_000_000], {
    description: 'How many of these the watches of one principal can name.',
    why: 'A fifth of the total: two watches of the largest size.',
  }),
  requestsInFlightMax: count(1000, [1, 100_000], {
    description: 'How many requests can be in flight at once, not counting streams.',
    why: 'Requests are short. More at once would only wait longer.',
  }),
  requestsPerPrincipalMax: count(200, [1, 100_000], {
    description: 'How many requests one principal can have in flight.',
    why: 'A fifth of the total, so that a burst of one client leaves room for the others.',
  }),
  changesPerSecondPerPrincipalMax: count(100, [1, 1_000_000], {
    description:
      'How many opens, closes, cancels, renewals and discoveries one principal can make per second. A burst can be five times as many.',
    why: 'Enough to renew the leases of all sessions every few seconds. Each change is an event that others have to read.',
  }),
  watchesPerSecondPerPrincipalMax: count(20, [1, 1_000_000], {
    description: 'How many watches one principal can start per second. A burst can be five times as many.',
    why: 'All watches of a principal can reconnect at once, but starting watches in a loop would delay the snapshots of others.',
  }),
  receiveMessageBytesMax: bytes(1_048_576, [1024, 67_108_864], {
    description: 'The largest request that is accepted.',
    why: 'The largest useful request, a watch of 10,000 session ids, has about 650 KB.',
  }),
  streamsPerConnectionMax: count(1000, [1, 100_000], {
    description: 'How many calls one HTTP/2 connection can have open at once.',
    why: 'A relay can carry many watchers on one connection. Without a bound, one connection could use all memory.',
  }),
  connectionsMax: count(1000, [1, 100_000], {
    description: 'How many connections can be open at once. Further ones are closed immediately.',
    why: 'A client needs one. Each costs memory and a file descriptor even before its caller is known.',
  }),
  connectionsPerAddressMax: count(200, [1, 100_000], {
    description:
      'How many connections one address can have open at once. For IPv6 it applies to a /64; a /56 can have twice as many, a /48 three times as many.',
    why: 'A fifth of the total: no single machine can lock out the others, and many clients behind one address fit.',
  }),
  unidentifiedConnectionsMax: count(250, [1, 100_000], {
    description:
      'How many connections can be open without an accepted call. A further one replaces the oldest of the network that has the most.',
    why: 'A quarter of the total. The rest remains for known callers, whoever else connects.',
  }),
  unidentifiedConnectionsPerAddressMax: count(50, [1, 100_000], {
    description: 'How many of these one address can have; for IPv6 as above. A further one replaces the oldest.',
    why: 'More than the number of clients on one machine that connect at the same moment.',
  }),
  identifyMs: milliseconds(3 * SECOND, [100, 10 * MINUTE], {
    description: 'How long a new connection can be open before its first accepted call. After that it is closed.',
    why: 'Clients connect because they have a call to make. TLS and the call take a few round trips, even from far away.',
  }),
  connectionIdleMs: milliseconds(5 * MINUTE, [SECOND, DAY], {
    description: 'How long a connection can be idle before it is closed.',
    why: 'Otherwise an idle connection counts against the limits forever. Clients reconnect by themselves.',
  }),
  callsMax: count(10_000, [1, 1_000_000], {
    description: 'How many calls can be open at once, including streams and calls whose request has not arrived yet.',
    why: 'Each takes about 20 KB. The limits above are smaller, but they do not cover every call.',
  }),
  callsPerPrincipalMax: count(2000, [1, 1_000_000], {
    description: 'How many calls one principal can have open.',
    why: 'A fifth of the total, and more than its sessions, watches and requests together.',
  }),
  transitMs: milliseconds(10 * SECOND, [100, 10 * MINUTE], {
    description:
      'How long a request can take to arrive after its headers, and how long a client can take to receive the response.',
    why: 'Both are small. Those that trickle in byte by byte only hold memory.',
  }),
  transitBytesMax: bytes(67_108_864, [1_048_576, 4_294_967_295], {
    description:
      'How many bytes all requests and responses in transit can hold. Beyond that, calls that hold more than 64 KiB are ended.',
    why: 'Room for 64 of the largest requests. Without a bound, one connection could hold a gigabyte of incomplete requests.',
  }),
});

export const events = group('The event log and its watchers.', {
  logEventsMax: count(100_000, [1, 10_000_000], {
    description: 'How many events are kept for watchers that resume.',
    why: 'At ten events per session, this covers the last 10,000 sessions.',
  }),
  logBytesMax: bytes(67_108_864, [1_048_576, 4_294_967_295], {
    description: 'How many bytes of events are kept for watchers that resume.',
    why: 'Room for 100,000 ordinary events. It bounds the memory whatever names clients send.',
  }),
  logAgeMs: milliseconds(HOUR, [1, DAY], {
    description: 'How long an event is kept for watchers that resume.',
    why: 'After a longer absence, a new snapshot is better.',
  }),
  watcherQueueEventsMax: count(10_000, [1, 1_000_000], {
    description: 'How many events one watcher can lag behind before its stream ends with WATCHER_TOO_SLOW.',
    why: 'A tenth of the log, so that the watcher can still resume from its cursor.',
  }),
  watcherGraceMs: milliseconds(2 * SECOND, [0, MINUTE], {
    description: 'How long a slow watcher has to receive its status before its stream is reset.',
    why: 'A watcher that does not read at all would otherwise hold its buffered messages forever.',
  }),
  batchEventsMax: count(500, [1, 10_000], {
    description: 'How many events one message to a watcher can carry.',
    why: 'Even at 1 KB per event this is far below the 4 MB that clients accept by default.',
  }),
  bookmarkIntervalMs: milliseconds(10 * SECOND, [SECOND, HOUR], {
    description: 'How often a quiet watch gets a bookmark if the client sets no interval.',
    why: 'Often enough that a resumed watch skips little and that proxies do not close the stream as idle.',
  }),
});

export const journal = group('The journal: the event log on disk, which survives restarts.', {
  folder: path('any', '/var/lib/wfdd/journal', {
    description: 'The folder of the journal, used by one daemon only. It is created if it does not exist.',
    why: 'If it is not set, there is no journal: events are kept in memory, and a restart loses them.',
  }),
  durability: choice(['process', 'disk'], 'process', {
    description:
      'What an event must survive before watchers receive it. process: a crash of the daemon. disk: a power failure too.',
    why: 'process costs a fraction of a millisecond. disk costs the time of a disk flush.',
  }),
  bytesMax: bytes(256 * 1_048_576, [1_048_576, 68_719_476_736], {
    description: 'How many bytes the files can have together. Beyond that the oldest are deleted.',
    why: 'About 400,000 events: weeks on an ordinary host.',
  }),
  ageMs: milliseconds(30 * DAY, [MINUTE, 3650 * DAY], {
    description: 'How long events are kept. Files that hold only older events are deleted.',
    why: 'A month is enough to look into last week, and names of devices and callers are kept no longer.',
  }),
});

export const keepalive = group('Detection of connections whose client has vanished.', {
  timeMs: milliseconds(20 * SECOND, [10, HOUR], {
    description: 'How long a connection can be silent before the daemon pings it.',
    why: 'Well below the minutes after which NAT gateways drop a silent connection.',
  }),
  timeoutMs: milliseconds(10 * SECOND, [10, HOUR], {
    description: 'How long the response to that ping can take before the connection is closed.',
    why: 'Together with timeMs, the resources of a dead client are released within half a minute.',
  }),
});

export const shutdown = group('Shutdown.', {
  graceMs: milliseconds(10 * SECOND, [0, 10 * MINUTE], {
    description: 'How long the shutdown can take in total before the process exits anyway.',
    why: 'Enough to close all sessions. A service manager must wait longer than this, or it kills the process too early.',
  }),
});
