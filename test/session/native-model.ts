/**
 * The model of one session for random tests: what Windows may do with its handle, what the
 * contract's diagram then says, and what the machine must never have done. It knows nothing of the
 * machine but what it says: its commands and its events.
 */
import type { SessionEndReason, SessionInput, SessionState, TimerName } from '../../service/session/session.js';
import { edges } from '../harness/session-history.js';
import { arrives, type Life } from './life.js';

/** What is still to come from a native call: not called, called, or told. */
type Call = 'none' | 'called' | 'returned';

export class NativeModel {
  readonly hasLease: boolean;
  start: 'called' | 'succeeded' | 'failed' = 'called';
  completion: 'pending' | 'succeeded' | 'failed' = 'pending';
  cancel: Call = 'none';
  close: Call = 'none';
  isLost = false;
  isReleased = false;
  readonly timers = new Set<TimerName>(['open']);
  state: SessionState = 'OPENING';
  /** The first reason to end that came while it counted. */
  reason: SessionEndReason | undefined;
  steps = 0;

  constructor(hasLease: boolean) {
    this.hasLease = hasLease;
    if (hasLease) this.timers.add('lease');
  }

  get hasEnded(): boolean {
    return ['CLOSED', 'FAILED', 'CANCELLED', 'LOST'].includes(this.state);
  }

  /**
   * Whether Windows, a timer or the driver may say this now. Clients may say anything at any time.
   */
  allows(input: SessionInput): boolean {
    switch (input.type) {
      case 'StartReturned':
        return this.start === 'called' && (input.outcome.fault === undefined || this.completion === 'pending');
      case 'OpenCompleted':
        return this.completion === 'pending' && this.start !== 'failed';
      case 'CancelReturned':
        return this.cancel === 'called';
      case 'CloseReturned':
        return this.close === 'called';
      case 'LinkDown':
      case 'NetworkInterfaceChanged':
        return this.completion === 'succeeded' && !this.isLost && !this.isReleased;
      case 'TimerFired':
        return this.timers.has(input.timer);
      case 'HandlesInvalidated':
        return !this.hasEnded;
      default:
        return true;
    }
  }

  /** Enters the input and checks all that comes of it. */
  enter(life: Life, input: SessionInput): void {
    this.steps += 1;
    this.#arrived(input);
    const before = { record: life.record, events: life.events.length, state: this.state };
    life.in(input);
    const { refusal, commands, events } = life.lastStep;
    const told = `${input.type} in ${before.state}`;

    for (const event of events) {
      const [from, to] = edges[event.type];
      if (!from.includes(this.state)) fail(`${told}: ${event.type} can't come from ${this.state}`);
      if (to !== 'same') this.state = to;
      if (event.session.state !== this.state)
        fail(`${told}: ${event.type} shows a session that is ${event.session.state}`);
      if ((event.session.end !== undefined) !== this.hasEnded) fail(`${told}: ${event.type} and the end don't agree`);
    }
    const last = events.at(-1);
    if (life.session !== (last?.session ?? before.record.session)) fail(`${told}: changed without an event`);
    if (refusal !== undefined && (life.record !== before.record || commands.length > 0 || events.length > 0)) {
      fail(`${told}: refused, and changed all the same`);
    }
    for (const command of commands) this.#command(command.type === 'SetTimer' ? command.timer : command.type, told);
    if (this.hasEnded !== this.isReleased) fail(`${told}: ${this.state}, but released: ${this.isReleased}`);
    if (this.hasEnded) this.#ended(life, told);
  }

  /** Lets everything that is owed come: however far it had got, the session must end. */
  settle(life: Life): void {
    this.enter(life, arrives.hostStopping());
    const rest = [
      arrives.started(),
      arrives.opened(),
      arrives.cancelReturned(),
      arrives.closeReturned(),
      arrives.timer('close'),
    ];
    for (const input of rest) if (this.allows(input)) this.enter(life, input);
    if (!this.hasEnded) fail(`nothing is owed any more, and the session is ${this.state}`);
    const mustClose = this.completion === 'succeeded' && !this.isLost;
    if (mustClose && this.close === 'none') fail('the open succeeded, and its handle was never closed');
  }

  #arrived(input: SessionInput): void {
    const wish = (reason: SessionEndReason, isOpenToo = true) => {
      if (this.state === 'OPENING' || (isOpenToo && this.state === 'OPEN')) this.reason ??= reason;
    };
    const live = !this.hasEnded;
    if (input.type === 'StartReturned') this.start = input.outcome.fault === undefined ? 'succeeded' : 'failed';
    // What succeeds after the end is the driver's to close.
    if (input.type === 'OpenCompleted' && this.isReleased) this.isLost = true;
    if (input.type === 'OpenCompleted') this.completion = input.outcome.fault === undefined ? 'succeeded' : 'failed';
    if (input.type === 'CancelReturned') this.cancel = 'returned';
    if (input.type === 'CloseReturned') this.close = 'returned';
    if (input.type === 'TimerFired') this.timers.delete(input.timer);
    if (input.type === 'CancelRequested') wish('CANCELLED', false);
    if (input.type === 'CloseRequested') wish('REQUESTED');
    if (input.type === 'HostStopping') wish('HOST_STOPPING');
    if (input.type === 'StreamsEnded' && !this.hasLease) wish('STREAM_ENDED');
    if (input.type === 'TimerFired' && input.timer === 'lease') wish('LEASE_EXPIRED');
    if (input.type === 'TimerFired' && input.timer === 'open') wish('OPEN_TIMED_OUT', false);
    if (input.type === 'TimerFired' && input.timer === 'cancel' && this.state === 'CANCELLING')
      this.reason = 'DRIVER_LOST';
    if (input.type === 'LinkDown' && this.state === 'OPEN') wish('PEER_DISCONNECTED');
    if (input.type === 'HandlesInvalidated') {
      this.isLost = true;
      this.reason = 'DRIVER_LOST';
    }
    const fault = 'outcome' in input ? input.outcome.fault?.reason : undefined;
    const isGone = fault === 'NATIVE_HANDLE_LOST' || fault === 'WLAN_SERVICE_UNREACHABLE';
    if (live && input.type === 'CloseReturned' && isGone) this.reason = 'DRIVER_LOST';
    const isOpenOver = input.type === 'StartReturned' || input.type === 'OpenCompleted';
    if (live && isOpenOver && fault !== undefined) {
      this.reason ??= input.type === 'StartReturned' && fault === 'NATIVE_HANDLE_LOST' ? 'DRIVER_LOST' : 'OPEN_FAILED';
    }
  }

  #command(command: string, told: string): void {
    if (this.isReleased) fail(`${told}: ${command} after Release`);
    if (this.isLost && command !== 'Release') fail(`${told}: ${command} after the driver was lost`);
    if (command === 'StartOpen') fail(`${told}: started twice`);
    else if (command === 'CancelOpen') {
      const isUsable = this.start === 'succeeded' && this.completion === 'pending' && this.cancel === 'none';
      if (!isUsable)
        fail(`${told}: cancelled with start ${this.start}, callback ${this.completion}, cancel ${this.cancel}`);
      this.cancel = 'called';
    } else if (command === 'CloseSession') {
      const isUsable = this.start === 'succeeded' && this.completion === 'succeeded' && this.close === 'none';
      if (!isUsable) fail(`${told}: closed with start ${this.start}, callback ${this.completion}, close ${this.close}`);
      this.close = 'called';
    } else if (command === 'Release') {
      this.isReleased = true;
      this.timers.clear();
    } else this.timers.add(command as TimerName);
  }

  #ended(life: Life, told: string): void {
    const ends = life.events.filter(({ session }) => session.end !== undefined);
    const { end } = life.session;
    if (ends.length !== 1 || ends[0] !== life.events.at(-1)) fail(`${told}: it ended ${ends.length} times`);
    if (end?.reason !== this.reason) fail(`${told}: it ended ${end?.reason}, and should have ${this.reason}`);
    if ((end?.evidence !== undefined) !== (this.state === 'CLOSED'))
      fail(`${told}: ${this.state} with ${end?.evidence}`);
  }
}

/** Thrown, so that fast-check can shrink what led here. */
function fail(message: string): never {
  throw new Error(message);
}
