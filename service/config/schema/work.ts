/** The part of the schema that bounds the work: the driver, the life of a session, quotas, events, keepalive, stopping. */
import { boolean, bytes, choice, count, group, milliseconds, path } from './leaf.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** The longest time any key takes: well below the 24.8 days past which a timer of Node fires at once. */
const DAY = 24 * HOUR;

export const driver = group('How Wi-Fi Direct is reached.', {
  kind: choice(['auto', 'wlanapi', 'simulator'], 'auto', {
    description: 'What stands behind the service: the wlanapi.dll of Windows, or the simulator.',
    why: 'auto is wlanapi on Windows and simulator elsewhere, so that no Windows host simulates unasked.',
  }),
  simulatorLibrary: path('any', '/opt/wfdd/libwfdsim.so', {
    description: 'The library of the simulator.',
    why: 'Not set means the one that was built or bundled with the daemon.',
  }),
  simulatorService: boolean(false, {
    description: 'Serve wifidirect.simulator.v1, with which any client may script faults.',
    why: 'It is for tests alone: whoever reaches it rules the simulated world.',
  }),
  probeIntervalMs: milliseconds(5 * SECOND, [10, HOUR], {
    description: 'How often the WLAN service is asked whether it still answers.',
    why: 'Nothing reports its stopping; this bounds how long health and sessions are wrong about it.',
  }),
  reopenBackoffMinMs: milliseconds(250, [1, HOUR], {
    description: 'How long to wait before the native client handle is opened anew the first time.',
    why: 'A service that restarts is back within a second or so.',
  }),
  reopenBackoffMaxMs: milliseconds(30 * SECOND, [1, HOUR], {
    description: 'The longest wait between two attempts to open the native client handle.',
    why: 'A host whose WLAN service is off for hours should neither be busy nor be late when it returns.',
  }),
  nativeCallsMax: count(12, [4, 1000], {
    description:
      'How many native calls may run at once: slow ones, and shared among the rest those that begin, end and look.',
    why: 'Each holds a thread of the pool (16 by default) while it blocks; files and names need the rest.',
  }),
  slowCallsMax: count(4, [1, 997], {
    description:
      'How many of the native calls may be of the slow kind: opening a legacy session, looking for a device.',
    why: 'They block by nature; at least three are left to the others, so that closes and cancels find a thread.',
  }),
  nativeCallWarnMs: milliseconds(5 * SECOND, [1, HOUR], {
    description: 'A native call that runs longer is logged and counted as slow.',
    why: 'No bound is documented for any; this is longer than a person waits without wondering.',
  }),
  linkPollMs: milliseconds(500, [10, HOUR], {
    description: 'How often the link of an open or closing session is looked at where no notification came.',
    why: 'No document promises a notification; half a second late is hardly noticed.',
  }),
});

export const session = group('The life of a session.', {
  openTimeoutMs: milliseconds(MINUTE, [1, DAY], {
    description: 'How long an open may take where the client names no limit.',
    why: 'Somebody may have to accept at the device.',
  }),
  openTimeoutMaxMs: milliseconds(10 * MINUTE, [1, DAY], {
    description: 'The longest limit for an open that a client may name.',
    why: 'A pending open keeps the radio and one place among the sessions.',
  }),
  closeTimeoutMs: milliseconds(15 * SECOND, [1, DAY], {
    description:
      'How long to look for the disconnection after a close before it counts as CLOSED, UNCONFIRMED; and to wait for the callback of a cancelled open whose handle Windows says it does not know before it is LOST.',
    why: 'Windows only queues the close and names no bound, and whoever waits for CLOSED must get an answer.',
  }),
  retentionMs: milliseconds(10 * MINUTE, [0, DAY], {
    description: 'How long an ended session, and what is remembered of its requests, can still be asked for.',
    why: 'A client that lost its connection should learn the outcome after it has come back.',
  }),
  endedSessionsMax: count(10_000, [0, 1_000_000], {
    description: 'How many ended sessions are kept at most; beyond that the oldest go first.',
    why: 'Bounds the memory that failing opens take, whatever their rate.',
  }),
  requestMemoryMax: count(10_000, [0, 1_000_000], {
    description:
      'How many request ids of closes, cancels and renewals are remembered at most; beyond that the oldest go first.',
    why: 'Those of opens live with their sessions; these are only told apart from new ones for a while.',
  }),
  leaseTtlMinMs: milliseconds(SECOND, [1, DAY], {
    description: 'The shortest lease that a client may ask for.',
    why: 'A shorter one would lapse in an ordinary pause of the network.',
  }),
  leaseTtlMaxMs: milliseconds(DAY, [1, DAY], {
    description: 'The longest lease that a client may ask for.',
    why: 'A client that has died must not keep the device for longer.',
  }),
});

export const limits = group('How much is served at once, per principal and in all.', {
  sessionsMax: count(256, [1, 100_000], {
    description: 'How many sessions may be live at once.',
    why: 'Far above what one radio carries; it stops a client that opens in a loop.',
  }),
  sessionsPerPrincipalMax: count(64, [1, 100_000], {
    description: 'How many live sessions one principal may own.',
    why: 'A quarter of all: no single client can take every place.',
  }),
  watchersMax: count(1000, [1, 100_000], {
    description: 'How many watches may be open at once, of sessions and devices together.',
    why: 'Each holds a stream and may hold a queue; with this their sum is bounded too.',
  }),
  watchersPerPrincipalMax: count(100, [1, 100_000], {
    description: 'How many open watches one principal may have.',
    why: 'A tenth of all: a client that leaks watches meets its own limit, not that of the others.',
  }),
  watchedIdsMax: count(100_000, [1, 100_000_000], {
    description: 'How many session ids and device addresses all open watches may name together.',
    why: 'Some 150 bytes each for as long as the watch is open; one watch may name 10,000.',
  }),
  watchedIdsPerPrincipalMax: count(20_000, [1, 100_000_000], {
    description: 'How many of these the watches of one principal may name.',
    why: 'A fifth of all; two watches of the largest size.',
  }),
  requestsInFlightMax: count(1000, [1, 100_000], {
    description: 'How many requests may be in flight at once, streams not counted.',
    why: 'They are short; more at once means that they wait, and a longer queue helps nobody.',
  }),
  requestsPerPrincipalMax: count(200, [1, 100_000], {
    description: 'How many requests in flight one principal may have.',
    why: 'A fifth of all: a burst of one client leaves room for the others.',
  }),
  changesPerSecondPerPrincipalMax: count(100, [1, 1_000_000], {
    description:
      'How many opens, closes, cancels, renewals and discoveries a second one principal may ask for; five times as many at once.',
    why: 'Enough to renew the leases of every session there may be each few seconds; each change is an event that others read.',
  }),
  watchesPerSecondPerPrincipalMax: count(20, [1, 1_000_000], {
    description: 'How many watches a second one principal may begin; five times as many at once.',
    why: 'All that it may have come back at once; one that begins watches in a loop has others wait for their snapshots.',
  }),
  receiveMessageBytesMax: bytes(1_048_576, [1024, 67_108_864], {
    description: 'The largest request that is read.',
    why: 'The largest sensible one, a watch of 10,000 session ids, has about 650 KB.',
  }),
  streamsPerConnectionMax: count(1000, [1, 100_000], {
    description: 'How many calls one HTTP/2 connection may have open at once.',
    why: 'A relay may carry many watchers on one connection; without a bound one connection could take all memory.',
  }),
  connectionsMax: count(1000, [1, 100_000], {
    description: 'How many connections there may be at once; one more is closed as it comes.',
    why: 'A client needs one; each costs memory and a file descriptor before anybody knows whose it is.',
  }),
  connectionsPerAddressMax: count(200, [1, 100_000], {
    description:
      'How many connections there may be from one address at once; of IPv6, from one /64, twice as many from one /56, three times as many from one /48.',
    why: 'A fifth of all: no single machine can shut the others out, and many clients behind one address find room.',
  }),
  unidentifiedConnectionsMax: count(250, [1, 100_000], {
    description:
      'How many connections there may be on which no call has been let in yet; one more takes the place of the oldest from where most come.',
    why: 'A quarter of all: the rest is for callers who are known, whoever else connects.',
  }),
  unidentifiedConnectionsPerAddressMax: count(50, [1, 100_000], {
    description:
      'How many of these there may be from one address; of IPv6 as above. One more takes the place of the oldest.',
    why: 'More than the clients of one machine that connect within the same moment.',
  }),
  identifyMs: milliseconds(3 * SECOND, [100, 10 * MINUTE], {
    description: 'How long a connection may be without a call that is let in before it is closed.',
    why: 'A client connects since it has a call to make; TLS and the call take some round trips, also to far away.',
  }),
  connectionIdleMs: milliseconds(5 * MINUTE, [SECOND, DAY], {
    description: 'How long a connection may be without a call before it is closed.',
    why: 'Without it whoever connects and asks for nothing holds a place for ever; a client connects anew by itself.',
  }),
  callsMax: count(10_000, [1, 1_000_000], {
    description: 'How many calls may be open at once, streams and those whose request has not come yet counted.',
    why: 'Some 20 KB each; the limits above are smaller, but not every call comes under one of them.',
  }),
  callsPerPrincipalMax: count(2000, [1, 1_000_000], {
    description: 'How many calls one principal may have open.',
    why: 'A fifth of all, and more than its sessions, watches and requests together.',
  }),
  transitMs: milliseconds(10 * SECOND, [100, 10 * MINUTE], {
    description: 'How long a request may take to arrive from its headers on, and the answer to it to be taken.',
    why: 'They are small; what passes a byte at a time only holds memory.',
  }),
  transitBytesMax: bytes(67_108_864, [1_048_576, 4_294_967_295], {
    description:
      'How much requests and answers on their way may hold together; beyond, calls are ended that hold more than 64 KiB.',
    why: 'Sixty of the largest; without a bound one connection could hold a gigabyte that never arrives.',
  }),
});

export const events = group('The event log and those who watch it.', {
  logEventsMax: count(100_000, [1, 10_000_000], {
    description: 'How many events are kept for watchers that resume.',
    why: 'At ten events a session, the whole lives of the last 10,000 sessions.',
  }),
  logBytesMax: bytes(67_108_864, [1_048_576, 4_294_967_295], {
    description: 'How many bytes the events that are kept for watchers that resume may have together.',
    why: 'Room for 100,000 ordinary events; it binds where names are long, and bounds the memory whatever clients send.',
  }),
  logAgeMs: milliseconds(HOUR, [1, DAY], {
    description: 'How long an event is kept for watchers that resume.',
    why: 'A watcher that was away for longer is better served by a new snapshot.',
  }),
  watcherQueueEventsMax: count(10_000, [1, 1_000_000], {
    description: 'How many events may wait for one watcher before its stream ends with WATCHER_TOO_SLOW.',
    why: 'A tenth of the log: one that is evicted still finds all it missed at its cursor.',
  }),
  watcherGraceMs: milliseconds(2 * SECOND, [0, MINUTE], {
    description: 'How long a watcher that is too slow has to take its status before its stream is reset.',
    why: 'One that does not read at all would otherwise keep its queue for ever.',
  }),
  batchEventsMax: count(500, [1, 10_000], {
    description: 'How many events one message to a watcher carries at most.',
    why: 'Even at 1 KB an event far below the 4 MB that clients accept by default.',
  }),
  bookmarkIntervalMs: milliseconds(10 * SECOND, [SECOND, HOUR], {
    description: 'How often a quiet watch gets a bookmark where the client names no interval.',
    why: 'Often enough that a resumed watch has little to skip, and that proxies do not think it dead.',
  }),
});

export const journal = group('The event log on disk, so that it outlives the process.', {
  folder: path('any', '/var/lib/wfdd/journal', {
    description: 'The folder of the journal, for one daemon alone. Made if it is not there.',
    why: 'Not set means none: events are then kept in memory, and a restart forgets them.',
  }),
  durability: choice(['process', 'disk'], 'process', {
    description:
      'What an event survives before anybody is told of it: process is the end of the daemon, disk is a power cut as well.',
    why: 'process costs a fraction of a millisecond, disk as long as the disk takes to flush.',
  }),
  bytesMax: bytes(256 * 1_048_576, [1_048_576, 68_719_476_736], {
    description: 'How much the files may hold together; beyond that the oldest go.',
    why: 'Some 400,000 events: weeks of an ordinary host.',
  }),
  ageMs: milliseconds(30 * DAY, [MINUTE, 3650 * DAY], {
    description: 'How old events may become; files that hold only older ones go.',
    why: 'A month answers what happened last week, and keeps the names of devices and callers no longer.',
  }),
});

export const keepalive = group('How connections to clients that have vanished are found.', {
  timeMs: milliseconds(20 * SECOND, [10, HOUR], {
    description: 'How long a connection may be silent before the daemon pings it.',
    why: 'Well below the minutes after which address translators forget a silent connection.',
  }),
  timeoutMs: milliseconds(10 * SECOND, [10, HOUR], {
    description: 'How long the answer to that ping may take before the connection is given up.',
    why: 'With the above: what a dead client held is released within half a minute.',
  }),
});

export const shutdown = group('Stopping.', {
  graceMs: milliseconds(10 * SECOND, [0, 10 * MINUTE], {
    description: 'How long the drain may take in all before the process ends regardless.',
    why: 'Enough for the closes that are owed; a service manager must wait longer than this, or it kills in their midst.',
  }),
});
