/** How the program ends, for scripts. Where they mean the same, the numbers are those of `wfdd`, which are those of sysexits.h. */

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
  ok: 'done',
  usage: 'the command line is wrong, or a value in it',
  state: 'the session, the device or the host is not in a state for it',
  notFound: 'there is no such session or device',
  unavailable: "no host answers, or it can't do its work",
  internal: 'a fault of the host or of wfdctl',
  failed: 'the session could not be opened, or Windows refused',
  limited: 'a limit is reached; try again later',
  denied: 'the host does not know you, or does not allow it',
  config: 'the file of contexts, or one that it names, is wrong',
  timedOut: 'it took longer than it may',
  interrupted: 'Ctrl+C, before it was done',
};
