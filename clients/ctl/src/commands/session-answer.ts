/** How `close`, `cancel` and `renew` print the session that the host returned. */
import type { SessionAt } from '../../../typescript/src/client.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Invocation } from '../invocation.js';
import { sessionAt } from '../text/messages.js';
import { sentenceOfSession } from '../text/session.js';

export function printSession(answer: SessionAt, { output }: Invocation): ExitCode {
  output.result({
    text: (style) => sentenceOfSession(answer.session, style, hostNow(answer)),
    message: () => sessionAt(answer),
    names: () => [answer.session.sessionId],
  });
  return EXIT.ok;
}

/**
 * The time on the host's clock, because the clock of this machine may differ. Hosts of older
 * versions do not send their time; the time of this machine stands in for it.
 */
export function hostNow({ hostTime }: { readonly hostTime: Date | undefined }): number {
  return hostTime?.getTime() ?? Date.now();
}
