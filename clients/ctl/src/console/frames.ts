/**
 * What the command tells the page, one JSON document a line. Sessions, devices and hosts are in the
 * form of `wfdctl -o json`, which is ProtoJSON: fields that have their default are left out.
 *
 * Every frame of a host names it, so that a console of several hosts needs no other protocol.
 */

/** A message of the contract as JSON. The page declares the fields that it reads. */
export type Document = Readonly<Record<string, unknown>>;

/** A document that ends badly or complains, with what helps, in the words of `wfdctl`. */
export type WithRemedy = Document & { readonly remedy?: string };

export type Frame =
  | {
      /** The first frame of a stream. */
      readonly kind: 'console';
      readonly version: string;
      readonly allowsActions: boolean;
      /** The names of the hosts, in the order to show them in. */
      readonly hosts: readonly string[];
    }
  | HostFrame
  /** Nothing happened for a while. */
  | { readonly kind: 'alive' }
  /** Another page has taken the place of this one; the stream ends. */
  | { readonly kind: 'replaced' };

export type HostFrame = { readonly host: string } & (
  | {
      /** GetHostResponse, at first and when the health of the host changes. */
      readonly kind: 'host';
      readonly about: WithRemedy;
    }
  | {
      /** The clock of the host, less the clock of this machine. */
      readonly kind: 'clock';
      readonly aheadMs: number;
    }
  | {
      /**
       * Sessions as they are. With `replaces` there are no others; else events that come know
       * better.
       */
      readonly kind: 'sessions';
      readonly sessions: readonly Document[];
      readonly replaces: boolean;
    }
  | { readonly kind: 'events'; readonly events: readonly WithRemedy[] }
  | { readonly kind: 'devices'; readonly devices: readonly Document[] }
  | { readonly kind: 'deviceEvents'; readonly events: readonly Document[] }
  /** The devices can't be told, and why. The sessions can. */
  | { readonly kind: 'noDevices'; readonly message: string }
  /**
   * The way to the host is broken; it is tried again. `since` is of this machine's clock, in ms.
   */
  | { readonly kind: 'lost'; readonly message: string; readonly since: number; readonly retryInMs: number }
  /** The host answers again. */
  | { readonly kind: 'back' }
  /** The host refuses, and trying again would not help. */
  | { readonly kind: 'refused'; readonly message: string }
);

/** Why a request of the page was not done. */
export interface RefusedAction {
  readonly message: string;
  readonly reason?: string;
}
