/** An event log that keeps what is reported to it. */
import type { EventSourceHandle } from '../../native/advapi32.js';
import type { EventFunctions } from '../../service/windows-service/event-log.js';

export interface Reported {
  readonly type: number;
  readonly id: number;
  readonly text: string;
}

export function fakeEventLog(): { advapi32: EventFunctions; reported: Reported[] } {
  const reported: Reported[] = [];
  return {
    reported,
    advapi32: {
      RegisterEventSourceW: async () => ({ code: 0, hEventLog: 7n as EventSourceHandle }),
      ReportEventW: async (_source, type, id, [text = '']) => {
        reported.push({ type, id, text });
        return { code: 0 };
      },
    },
  };
}
