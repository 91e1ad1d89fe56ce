/**
 * What the command sends to the page: one JSON document per line. Sessions, devices and hosts are
 * in ProtoJSON, as with `wfdctl -o json`, so fields that have their default are left out.
 *
 * Every frame about a host names it, so this protocol also works for several hosts.
 */

/** A message of the API as JSON. The page declares the fields that it reads. */
export type Document = Readonly<Record<string, unknown>>;

/** If the document reports a failure, `remedy` is the sentence of `wfdctl` about it. */
export type WithRemedy = Document & { readonly remedy?: string };

export type Frame =
  | {
      /** The first frame of a stream. */
      readonly kind: 'console';
      readonly version: string;
      readonly allowsActions: boolean;
      /** The names of the hosts, in display order. */
      readonly hosts: readonly string[];
    }
  | HostFrame
  /** Sent when nothing has happened for a while. */
  | { readonly kind: 'alive' }
  /** Another page replaces this one, and the stream ends. */
  | { readonly kind: 'replaced' };

export type HostFrame = { readonly host: string } & (
  | {
      /** GetHostResponse. Sent at the start and when the health of the host changes. */
      readonly kind: 'host';
      readonly about: WithRemedy;
    }
  | {
      /** The clock of the host minus the clock of this machine. */
      readonly kind: 'clock';
      readonly aheadMs: number;
    }
  | {
      /**
       * The current sessions. With `replaces`, these are all sessions. Otherwise the page keeps
       * what it knows from events.
       */
      readonly kind: 'sessions';
      readonly sessions: readonly Document[];
      readonly replaces: boolean;
    }
  | { readonly kind: 'events'; readonly events: readonly WithRemedy[] }
  | { readonly kind: 'devices'; readonly devices: readonly Document[] }
  | { readonly kind: 'deviceEvents'; readonly events: readonly Document[] }
  /** Why the host can't list its devices. The sessions are not affected. */
  | { readonly kind: 'noDevices'; readonly message: string }
  /**
   * The connection to the host is lost, and is tried again. `since` is in ms on the clock of this
   * machine.
   */
  | { readonly kind: 'lost'; readonly message: string; readonly since: number; readonly retryInMs: number }
  /** The host answers again. */
  | { readonly kind: 'back' }
  /** The host refuses access, and a retry would not help. */
  | { readonly kind: 'refused'; readonly message: string }
);
