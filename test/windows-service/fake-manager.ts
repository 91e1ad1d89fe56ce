/**
 * The service control manager as a service sees it: it calls the real callbacks, as Windows would,
 * and keeps what is reported.
 */
import koffi from 'koffi';
import type { StatusHandle } from '../../native/advapi32.js';
import * as svc from '../../native/winsvc.js';
import type { ServiceFunctions } from '../../service/windows-service/connection.js';

const serviceMain = koffi.proto('void (uint32_t dwNumServicesArgs, void *lpServiceArgVectors)');
const handlerEx = koffi.proto(
  'uint32_t (uint32_t dwControl, uint32_t dwEventType, void *lpEventData, void *lpContext)',
);

/** A service control manager that has started this process, unless `code` says otherwise. */
export function fakeManager(code = 0) {
  const reports: svc.ServiceStatus[] = [];
  const waiting = new Set<() => void>();
  let control = 0n;
  let letGo = () => {};
  const functions: ServiceFunctions = {
    StartServiceCtrlDispatcherW: async (_name, mainContext) => {
      if (code !== 0) return { code };
      svc.setServiceMainContext(mainContext);
      koffi.call(svc.serviceMainCallbacks.pointer, serviceMain, 1, null);
      await new Promise<void>((resolve) => {
        letGo = resolve;
      });
      return { code };
    },
    RegisterServiceCtrlHandlerExW: (_name, context) => {
      control = context;
      return { code: 0, hServiceStatus: 5n as StatusHandle };
    },
    SetServiceStatus: (_handle, status) => {
      reports.push(status);
      for (const look of waiting) look();
      if (status.dwCurrentState === svc.SERVICE_STOPPED) letGo();
      return { code: 0 };
    },
  };
  const send = (dwControl: number, dwEventType = 0): number =>
    koffi.call(svc.handlerCallbacks.pointer, handlerEx, dwControl, dwEventType, null, control);
  /** Resolves when there have been so many reports. */
  const reported = (count: number): Promise<void> =>
    new Promise((resolve) => {
      const look = () => {
        if (reports.length < count) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { functions, reports, reported, send };
}
