/** Silence on a stream: where the host was to send something every now and then, nothing at all says that it is gone. */
import { status } from '@grpc/grpc-js';
import {
  asyncScheduler,
  interval,
  type MonoTypeOperatorFunction,
  Observable,
  type SchedulerLike,
  Subscription,
  take,
} from 'rxjs';
import { GatewayError } from './error.js';

/** So many intervals without a message are silence. */
const INTERVALS = 3;

const INTERVAL_MS_DEFAULT = 10_000;
/** What a host sends at most and at least; it refuses others by the name of the field. */
const INTERVAL_MS_MIN = 1000;
const INTERVAL_MS_MAX = 300_000;

export interface Silence<Message> {
  /** How often the host says something. Default 10,000 ms, as the host's own. */
  readonly intervalMs: number | undefined;
  /** Whether, after this message, another will come in time. Default: always. */
  readonly isReckoned?: (message: Message) => boolean;
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Errors with UNAVAILABLE after three intervals without a message. Each is measured by itself, so that a process that was
 * stopped for a while does not take its own absence for silence of the host.
 */
export function failWhenSilent<Message>({
  intervalMs = INTERVAL_MS_DEFAULT,
  isReckoned = () => true,
  scheduler = asyncScheduler,
}: Silence<Message>): MonoTypeOperatorFunction<Message> {
  const eachMs = Math.min(Math.max(intervalMs, INTERVAL_MS_MIN), INTERVAL_MS_MAX) || INTERVAL_MS_DEFAULT;
  const text = `The host has been silent for ${(INTERVALS * eachMs) / 1000} s.`;
  return (messages) =>
    new Observable((subscriber) => {
      let silence = Subscription.EMPTY;
      const listen = (): void => {
        silence.unsubscribe();
        silence = interval(eachMs, scheduler)
          .pipe(take(INTERVALS))
          .subscribe({ complete: () => subscriber.error(new GatewayError(status.UNAVAILABLE, text)) });
      };
      listen();
      const hearing = messages.subscribe({
        next: (message) => {
          if (isReckoned(message)) listen();
          else silence.unsubscribe();
          subscriber.next(message);
        },
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
      return () => {
        silence.unsubscribe();
        hearing.unsubscribe();
      };
    });
}
