/**
 * Detects a host that disappeared: it sends something at regular intervals, so silence means that
 * it is gone.
 */
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

/** The number of intervals without a message that count as silence. */
const INTERVALS = 3;

const INTERVAL_MS_DEFAULT = 10_000;
/** The limits of the host. It rejects other values with INVALID_FIELD. */
const INTERVAL_MS_MIN = 1000;
const INTERVAL_MS_MAX = 300_000;

export interface Silence<Message> {
  /** How often the host sends something. Default 10,000 ms, the host's default. */
  readonly intervalMs: number | undefined;
  /** Whether the host will send another message in time after this one. Default: always. */
  readonly isFollowed?: (message: Message) => boolean;
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Fails with UNAVAILABLE after three intervals without a message. Each interval has its own timer.
 * So if this process was suspended, it does not take that time for silence of the host.
 */
export function failWhenSilent<Message>({
  intervalMs = INTERVAL_MS_DEFAULT,
  isFollowed = () => true,
  scheduler = asyncScheduler,
}: Silence<Message>): MonoTypeOperatorFunction<Message> {
  const eachMs = Math.min(Math.max(intervalMs, INTERVAL_MS_MIN), INTERVAL_MS_MAX) || INTERVAL_MS_DEFAULT;
  const text = `The host has been silent for ${(INTERVALS * eachMs) / 1000} s.`;
  return (messages) =>
    new Observable((subscriber) => {
      let silence = Subscription.EMPTY;
      const restart = (): void => {
        silence.unsubscribe();
        silence = interval(eachMs, scheduler)
          .pipe(take(INTERVALS))
          .subscribe({ complete: () => subscriber.error(new GatewayError(status.UNAVAILABLE, text)) });
      };
      restart();
      const subscription = messages.subscribe({
        next: (message) => {
          if (isFollowed(message)) restart();
          else silence.unsubscribe();
          subscriber.next(message);
        },
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
      return () => {
        silence.unsubscribe();
        subscription.unsubscribe();
      };
    });
}
