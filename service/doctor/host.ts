/**
 * The host as the checks see it. Tests replace it to make each check fail. The native libraries are
 * the real ones or replacements; WindowsFacts answers everything else about Windows.
 */
import type { NativeLibraries } from '../../native/load.js';
import type { LoadedConfig } from '../config/load.js';
import type { ConfigError } from '../config/problem.js';

export interface DoctorHost {
  readonly version: string;
  readonly platform: NodeJS.Platform;
  readonly environment: NodeJS.ProcessEnv;
  readonly loaded: LoadedConfig | ConfigError;
  readonly native: NativeLibraries;
  readonly isSimulated: boolean;
  /** The name of the service to check, and whether this process is that service. */
  readonly service: string;
  readonly isService: boolean;
  /** Undefined on other systems. */
  readonly windows: WindowsFacts | undefined;
  readonly nowMs: () => number;
  /** Time from the start of the process to the start of the checks. */
  readonly startMs: number;
  /** When this program was built. A clock before that is wrong. */
  readonly builtMs: number;
  /** The session to open, if any. */
  readonly session: SessionWish | undefined;
  /** Whether to check association endpoints too, which can start a discovery. */
  readonly endpoints: boolean;
  /** Blocks a pool thread. */
  readonly blockThread: (ms: number) => Promise<unknown>;
}

export interface SessionWish {
  readonly address: string;
  readonly holdMs: number;
  /** How long a link can take to come up or go down. */
  readonly watchMs: number;
  /** Starts a process that opens the session and keeps running. */
  readonly startChild: (address: string) => SessionChild;
}

export interface SessionChild {
  /** Resolves with the Win32 code of the open. */
  readonly opened: Promise<number>;
  /** Kills the process and waits until it has exited. */
  kill(): Promise<void>;
}

export interface ServiceFacts {
  readonly state: string;
  readonly startType: number;
  readonly account: string;
  readonly command: string;
}

export interface WlanFacts {
  readonly openCode: number;
  readonly interfaces: readonly { readonly guid: string; readonly description: string; readonly isState: number }[];
  /** Undefined if this version of Windows does not have the function. */
  readonly security: { readonly code: number; readonly sddl: string; readonly granted: number } | undefined;
}

/** The result of a Windows program. The output is in the language of the host. */
export interface Ran {
  readonly exitCode: number;
  readonly text: string;
}

export interface WindowsFacts {
  /** A value below HKEY_LOCAL_MACHINE; undefined if it does not exist. */
  registry(key: string, value: string): Promise<string | number | Buffer | undefined>;
  /** Undefined if the service is not installed. */
  service(name: string): Promise<ServiceFacts | undefined>;
  /** The first DWORD of a setting of QueryServiceConfig2; undefined if it does not exist. */
  serviceSetting(name: string, level: number): Promise<number | undefined>;
  wlan(): Promise<WlanFacts>;
  /** 0, or the HRESULT of WinVerifyTrust. */
  signature(file: string): Promise<number>;
  power(): Promise<{ code: number; modernStandby: boolean; s3: boolean; fastStartup: boolean }>;
  /** Runs a program of System32. */
  run(program: string, args: readonly string[]): Promise<Ran>;
  /** Whether this process has the SID; undefined if Windows does not say. */
  hasSid(sid: string): boolean | undefined;
  /** The security descriptor of a file, as SDDL. */
  descriptorOf(path: string): string | undefined;
  /** Whether the file was downloaded: it has a Zone.Identifier. */
  isDownloaded(file: string): boolean;
  /** The native modules and programs whose signatures are checked. */
  readonly programs: readonly string[];
}
