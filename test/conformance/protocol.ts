/**
 * What the driver says to the agent of a client library, and what comes back: lines of JSON on the
 * standard input and output of a small program, written once per language and as thin as can be, so
 * that what is tested is the library.
 *
 *   > {"id":1,"do":"connect","address":"127.0.0.1:50051"}
 *   < {"id":1,"end":{}}
 *   > {"id":2,"do":"open","deviceAddress":"02:11:22:33:44:04"}
 *   < {"id":2,"item":{"event":{"type":"OPENING","sequence":7,"session":{"id":"a-session","state":"OPENING","owner":"anonymous"}}}}
 *   < {"id":2,"item":{"event":{"type":"FAILED",...}}}
 *   < {"id":2,"end":{"error":{"code":"ABORTED","reason":"OPEN_FAILED","native":{...},...}}}
 *
 * Each command has a number of its own, and is answered by items, as they come, and at last by its
 * end. Commands run side by side. The rule that must not be broken: an agent calls nothing but the
 * public API of its library, and judges nothing; what must come out is in scenarios.ts. An agent
 * ends when its input does.
 *
 * Enum values are names without their prefix, of status codes too; the number as text where the
 * library knows no name. What is empty or unset is left out, or null. What a language throws for a
 * wrong argument (ValueError, IllegalArgumentException) is told as INVALID_ARGUMENT.
 */

export interface Credentials {
  /** PEM files; without `caFile` the connection is in clear text. */
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly token?: string;
}

export interface ConnectCommand extends Credentials {
  readonly address: string;
  /** How long one attempt to connect may take. Default: the library's. */
  readonly connectTimeoutMs?: number;
  /** The deadline of unary calls. Default: the library's. */
  readonly timeoutMs?: number;
  /** What the hook for metadata gives for each call. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** The source of tokens throws, at each call. */
  readonly tokenFails?: boolean;
}

interface OpenCommand {
  readonly deviceAddress: string;
  readonly sessionId?: string;
  readonly requestId?: string;
  readonly openTimeoutMs?: number;
  readonly leaseTtlMs?: number;
  /** 0: the library asks for no heartbeats. Default: the library's. */
  readonly heartbeatIntervalMs?: number;
}

interface WatchCommand {
  readonly cursor?: string;
  readonly sessionIds?: readonly string[];
  /** Default: the host's. */
  readonly bookmarkIntervalMs?: number;
  /** The bounds of the pauses between attempts. Default 20 and 100. */
  readonly backoffInitialMs?: number;
  readonly backoffMaxMs?: number;
}

/** What each command takes, and what its items are. */
export interface Commands {
  /**
   * Makes a client of this host; the one before is closed. Fails where the library refuses the
   * options.
   */
  connect: { takes: ConnectCommand; gives: never };
  /** Until the stream ends. */
  open: { takes: OpenCommand; gives: { readonly event: EventItem } };
  /** Until it ends. */
  watch: { takes: WatchCommand; gives: WatchItem };
  /** Leaves the stream of another command. */
  leave: { takes: { readonly command: number }; gives: never };
  get: { takes: { readonly sessionId: string }; gives: SessionAtItem };
  cancel: { takes: { readonly sessionId: string }; gives: SessionAtItem };
  close: { takes: { readonly sessionId: string; readonly wait?: boolean }; gives: SessionAtItem };
  renew: { takes: { readonly sessionId: string; readonly leaseTtlMs?: number }; gives: SessionAtItem };
  /** All pages of the list. */
  sessions: { takes: object; gives: { readonly session: SessionItem } };
  devices: { takes: object; gives: { readonly device: DeviceItem } };
  /** Looks for a device by radio. */
  find: { takes: { readonly deviceAddress: string }; gives: { readonly device: DeviceItem } };
  host: {
    takes: object;
    gives: { readonly host: { readonly state: string; readonly driver: string }; readonly health: string };
  };
}

export type Does = keyof Commands;
export type Takes<Do extends Does> = Commands[Do]['takes'];
export type Gives<Do extends Does> = Commands[Do]['gives'];
export type Command = { [Do in Does]: { readonly id: number; readonly do: Do } & Takes<Do> }[Does];

interface SessionItem {
  readonly id: string;
  readonly state: string;
  readonly owner: string;
  /** Of its end. */
  readonly reason?: string | null;
  readonly evidence?: string | null;
}

interface SessionAtItem {
  readonly session: SessionItem;
  readonly cursor: string;
}

interface NativeItem {
  readonly function: string;
  readonly code: number;
  readonly name: string;
  readonly reasonCode: number;
}

export interface EventItem {
  readonly type: string;
  readonly sequence: number;
  readonly session: SessionItem;
  readonly native?: NativeItem | null;
}

export type WatchItem =
  | { readonly kind: 'snapshot'; readonly sessions: readonly SessionItem[]; readonly cursor: string }
  | { readonly kind: 'event'; readonly event: EventItem; readonly cursor: string }
  | { readonly kind: 'bookmark'; readonly cursor: string }
  | { readonly kind: 'disconnected'; readonly error: ErrorItem; readonly retryInMs: number };

export interface ErrorItem {
  readonly code: string;
  /** As people read it. */
  readonly message?: string | null;
  readonly reason?: string | null;
  readonly metadata?: Readonly<Record<string, string>> | null;
  readonly native?: NativeItem | null;
  readonly retryDelayMs?: number | null;
  /** The fields that are wrong. */
  readonly fields?: readonly string[] | null;
}

interface DeviceItem {
  readonly address: string;
  readonly name: string;
  readonly isVisible?: boolean | null;
}

export type Line = { readonly id: number } & (
  | { readonly item: unknown }
  | { readonly end: { readonly error?: ErrorItem | null } }
);
