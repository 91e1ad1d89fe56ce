/**
 * The exit codes, for scripts. Codes that `wfdd` has too mean the same there; most are from
 * sysexits.h.
 */

export const EXIT = {
  ok: 0,
  usage: 64,
  state: 65,
  notFound: 66,
  unavailable: 69,
  internal: 70,
  failed: 71,
  limited: 75,
  denied: 77,
  config: 78,
  timedOut: 124,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** For `--help`. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'success',
  usage: 'invalid command line, or an invalid value in it',
  state: 'not possible in this state of the session, device or host',
  notFound: 'no such session or device',
  unavailable: "the host does not answer, or can't serve requests",
  internal: 'internal error of the host or of wfdctl',
  failed: 'the session could not be opened, or Windows returned an error',
  limited: 'limit reached; try again later',
  denied: 'not authenticated, or not permitted',
  config: 'invalid context file, or invalid file that it names',
  timedOut: 'timed out',
  interrupted: 'interrupted by Ctrl+C',
};
