/**
 * What the checks look at, so that each can be shown a host on which it fails. The native libraries are the real ones, or
 * what stands in for them; the rest of Windows is asked through WindowsFacts.
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
  /** The service that is looked at, and whether this process is it. */
  readonly service: string;
  readonly isService: boolean;
  /** Undefined elsewhere than on Windows. */
  readonly windows: WindowsFacts | undefined;
  readonly nowMs: () => number;
  /** From the start of the process to that of the checks. */
  readonly startMs: number;
  /** When this program was built: no clock is right that is before. */
  readonly builtMs: number;
  /** A session that is to be opened. */
  readonly session: SessionWish | undefined;
  /** Association endpoints are looked at, too; that may start a discovery. */
  readonly endpoints: boolean;
  /** Blocks a thread of the pool. */
  readonly blockThread: (ms: number) => Promise<unknown>;
}

export interface SessionWish {
  readonly address: string;
  readonly holdMs: number;
  /** How long a link may take to come up or go away. */
  readonly watchMs: number;
  /** Starts a process that opens the session and stays. */
  readonly startChild: (address: string) => SessionChild;
}

export interface SessionChild {
  /** Resolves with the Win32 code of its open. */
  readonly opened: Promise<number>;
  /** Ends it as a crash does, and waits until it is gone. */
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
  /** Undefined where this Windows has no such function. */
  readonly security: { readonly code: number; readonly sddl: string; readonly granted: number } | undefined;
}

/** A program of Windows and what it wrote; the language is that of the host. */
export interface Ran {
  readonly exitCode: number;
  readonly text: string;
}

export interface WindowsFacts {
  /** A value below HKEY_LOCAL_MACHINE; undefined where there is none. */
  registry(key: string, value: string): Promise<string | number | Buffer | undefined>;
  /** Undefined where it is not installed. */
  service(name: string): Promise<ServiceFacts | undefined>;
  /** The first DWORD of a setting of QueryServiceConfig2; undefined where there is none. */
  serviceSetting(name: string, level: number): Promise<number | undefined>;
  wlan(): Promise<WlanFacts>;
  /** 0, or the HRESULT of WinVerifyTrust. */
  signature(file: string): Promise<number>;
  power(): Promise<{ code: number; modernStandby: boolean; s3: boolean; fastStartup: boolean }>;
  /** A program of System32. */
  run(program: string, args: readonly string[]): Promise<Ran>;
  /** Whether this process has the SID; undefined where Windows does not say. */
  hasSid(sid: string): boolean | undefined;
  /** Who may do what with a file, as text. */
  descriptorOf(path: string): string | undefined;
  /** Whether the file came from elsewhere: it has a Zone.Identifier. */
  isDownloaded(file: string): boolean;
  /** The native modules and programs whose signature counts. */
  readonly programs: readonly string[];
}
