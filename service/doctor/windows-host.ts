/** WindowsFacts of the Windows that this process runs on. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { win32 } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAclapi } from '../../native/aclapi.js';
import { HKEY_LOCAL_MACHINE, loadAdvapi32 } from '../../native/advapi32.js';
import { loadHostFacts, wlan_secure_wfd_elevated_access } from '../../native/host-facts.js';
import { LibraryNotAvailable } from '../../native/library.js';
import { root } from '../root.js';
import { ServiceError } from '../windows-service/service-error.js';
import { Services } from '../windows-service/services.js';
import type { Ran, WindowsFacts, WlanFacts } from './host.js';

/** How long a Windows program can take. */
const PROGRAM_MS = 20_000;

export function thisWindows(environment: NodeJS.ProcessEnv): WindowsFacts {
  const [advapi32, aclapi, facts] = [loadAdvapi32(), loadAclapi(), loadHostFacts()];
  const services = new Services(advapi32);
  const system32 = win32.join(environment['SystemRoot'] ?? 'C:\\Windows', 'System32');

  /** A service without permission to look at it counts as not installed. */
  const find = async <T>(name: string, use: Parameters<typeof services.find<T>>[2]): Promise<T | undefined> => {
    try {
      return await services.find(name, 'look', use);
    } catch (error) {
      if (error instanceof ServiceError) return undefined;
      throw error;
    }
  };

  const wlan = async (): Promise<WlanFacts> => {
    const { code, hClientHandle } = await facts.WlanOpenHandle();
    if (code !== 0) return { openCode: code, interfaces: [], security: undefined };
    try {
      const { interfaces } = await facts.WlanEnumInterfaces(hClientHandle);
      // Without an adapter there is nothing to check, and Wine terminates a process that asks
      // (D-105).
      if (interfaces.length === 0) return { openCode: code, interfaces, security: undefined };
      const security = await facts
        .WlanGetSecuritySettings(hClientHandle, wlan_secure_wfd_elevated_access)
        .catch((error: unknown) => {
          if (error instanceof LibraryNotAvailable) return undefined;
          throw error;
        });
      return { openCode: code, interfaces, security };
    } finally {
      await facts.WlanCloseHandle(hClientHandle);
    }
  };

  return {
    registry: async (key, value) => (await advapi32.RegGetValueW(HKEY_LOCAL_MACHINE, key, value)).value,
    service: (name) =>
      find(name, async (service) => {
        const [{ state }, { command, account, startType }] = [await service.look(), await service.settings()];
        return { state, startType, account, command };
      }),
    serviceSetting: (name, level) => find(name, (service) => service.settingNumber(level)),
    wlan,
    signature: async (file) => (await facts.WinVerifyTrust(file)).code,
    power: () => facts.SystemPowerCapabilities(),
    run: (program, args) => run(win32.join(system32, program), args),
    hasSid: (sid) => {
      const { code, isMember } = aclapi.CheckTokenMembership(sid);
      return code === 0 ? isMember : undefined;
    },
    descriptorOf: (path) => {
      const { code, sddl } = aclapi.GetDaclOf(path);
      return code === 0 ? sddl : undefined;
    },
    isDownloaded: (file) => existsSync(`${file}:Zone.Identifier`),
    programs: [process.execPath, ...nativeModules()],
  };
}

/** koffi has its binary in a separate package for each platform. */
function nativeModules(): string[] {
  const { arch } = process;
  const file = fileURLToPath(new URL(`node_modules/@koromix/koffi-win32-${arch}/win32_${arch}/koffi.node`, root));
  return existsSync(file) ? [file] : [];
}

function run(program: string, args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: PROGRAM_MS, windowsHide: true }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ exitCode, text: `${stdout}${stderr}` });
    });
  });
}
