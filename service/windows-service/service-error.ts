/** What Windows refused, said so that whoever typed the command can put it right. */
import { winerror } from '../../native/constants.js';
import * as svc from '../../native/winsvc.js';

const MEANINGS: Readonly<Record<number, string>> = {
  [winerror.ERROR_ACCESS_DENIED]: 'Windows refuses this to you; run it in a console that was started as administrator.',
  [svc.ERROR_SERVICE_REQUEST_TIMEOUT]:
    'Its process did not answer in time. Can its account read the folder of wfdd? Below Program Files it can.',
  [svc.ERROR_INVALID_SERVICE_ACCOUNT]: 'There is no such account here, or it may not run services.',
  [svc.ERROR_SERVICE_DISABLED]: 'The service is disabled; wfdd service install makes it start again.',
  [svc.ERROR_SERVICE_DOES_NOT_EXIST]: 'The service is not installed; do that with wfdd service install.',
  [svc.ERROR_SERVICE_CANNOT_ACCEPT_CTRL]: 'It is starting or stopping just now; try again when it has.',
  [svc.ERROR_SERVICE_DEPENDENCY_FAIL]:
    'A service that it was made to depend on could not be started. It needs none: wfdd service install takes that back.',
  [svc.ERROR_SERVICE_LOGON_FAILED]:
    "Windows can't log its account on; name another with wfdd service install --account.",
  [svc.ERROR_SERVICE_MARKED_FOR_DELETE]:
    'It was uninstalled but is held by a program, often services.msc or the task manager. Close that and try again.',
  [svc.ERROR_SERVICE_DEPENDENCY_DELETED]:
    'A service that it was made to depend on is not there. It needs none: wfdd service install takes that back.',
  [svc.ERROR_SERVICE_EXISTS]: 'Somebody else has just installed it.',
  [svc.ERROR_DUPLICATE_SERVICE_NAME]: 'Another service has that display name; choose another --name.',
};

/** What a command can't do, as a sentence for whoever typed it. */
export class Refusal extends Error {
  override readonly name: string = 'Refusal';
}

/** A call of the service control manager, or of what an installation needs, failed. */
export class ServiceError extends Refusal {
  override readonly name = 'ServiceError';
  readonly function: string;
  /** The Win32 code. */
  readonly code: number;

  constructor(fn: string, code: number) {
    super(`${MEANINGS[code] ?? 'Windows could not do this.'} (${fn}: error ${code})`);
    this.function = fn;
    this.code = code;
  }
}
