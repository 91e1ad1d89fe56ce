/** Errors of the `wfdd service` commands, with their meaning and remedy. */
import { winerror } from '../../native/constants.js';
import * as svc from '../../native/winsvc.js';

const MEANINGS: Readonly<Record<number, string>> = {
  [winerror.ERROR_ACCESS_DENIED]: 'Access denied. Run the command in an administrator console.',
  [svc.ERROR_SERVICE_REQUEST_TIMEOUT]:
    'The service process did not respond in time. Check that its account can read the folder of wfdd; below Program Files it can.',
  [svc.ERROR_INVALID_SERVICE_ACCOUNT]: 'The account does not exist, or it is not allowed to run services.',
  [svc.ERROR_SERVICE_DISABLED]: 'The service is disabled. Run wfdd service install to enable it.',
  [svc.ERROR_SERVICE_DOES_NOT_EXIST]: 'The service is not installed. Run wfdd service install.',
  [svc.ERROR_SERVICE_CANNOT_ACCEPT_CTRL]: 'The service is starting or stopping. Retry when it has finished.',
  [svc.ERROR_SERVICE_DEPENDENCY_FAIL]:
    'A dependency of the service could not be started. wfdd needs no dependencies: run wfdd service install to remove it.',
  [svc.ERROR_SERVICE_LOGON_FAILED]:
    'Windows cannot log on the account of the service. Choose another with wfdd service install --account.',
  [svc.ERROR_SERVICE_MARKED_FOR_DELETE]:
    'The service is uninstalled, but a program still has it open, often services.msc or Task Manager. Close that program and retry.',
  [svc.ERROR_SERVICE_DEPENDENCY_DELETED]:
    'A dependency of the service does not exist. wfdd needs no dependencies: run wfdd service install to remove it.',
  [svc.ERROR_SERVICE_EXISTS]: 'The service was installed by another process at the same time.',
  [svc.ERROR_DUPLICATE_SERVICE_NAME]: 'Another service has the same display name. Choose another --name.',
};

/** A command cannot be carried out. The message is for the user. */
export class Refusal extends Error {
  override readonly name: string = 'Refusal';
}

/** A call to the service control manager, or another call of the installation, failed. */
export class ServiceError extends Refusal {
  override readonly name = 'ServiceError';
  readonly function: string;
  /** The Win32 code. */
  readonly code: number;

  constructor(fn: string, code: number) {
    super(`${MEANINGS[code] ?? 'Windows reported an error.'} (${fn}: error ${code})`);
    this.function = fn;
    this.code = code;
  }
}
