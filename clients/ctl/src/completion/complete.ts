/**
 * `wfdctl __complete INDEX WORD...`: what the scripts in `completions/` ask for at each Tab. INDEX is the place of the word that
 * is being typed among those that follow; where it is past them all, that word is empty (some shells drop empty words).
 *
 * Answers a candidate in each line, after a tab its description; or the one line `:files`. It says nothing where it knows
 * nothing: an error in the middle of somebody's typing helps nobody.
 */
import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../exit-code.js';
import { type GlobalOptions, Invocation } from '../invocation.js';
import type { StateName } from '../operands.js';
import type { Surroundings } from '../surroundings.js';
import { printable } from '../text/printable.js';
import { type Candidate, candidatesFor, type Sources } from './candidates.js';
import { readTyped } from './typed.js';

/** People wait for a Tab no longer. */
const ANSWER_MS = 2000;

export async function complete(
  program: Command,
  argv: readonly string[],
  surroundings: Surroundings,
): Promise<ExitCode> {
  const [index = '0', ...words] = argv;
  const typed = readTyped(program, [...words, ''].slice(0, Number(index) + 1));
  const invocation = new Invocation(typed.flags as GlobalOptions, { ...surroundings, stderr: { write: () => {} } });
  try {
    const candidates = await candidatesFor(typed, program, sourcesOf(invocation));
    surroundings.stdout.write(candidates === 'files' ? ':files\n' : candidates.map(lineOf).join(''));
  } catch {
    // No host, no contexts, no candidates.
  } finally {
    invocation.close();
  }
  return EXIT.ok;
}

function lineOf({ value, description }: Candidate): string {
  return `${printable(value)}${description && `\t${printable(description)}`}\n`;
}

function sourcesOf(invocation: Invocation): Sources {
  return {
    devices: async () => {
      const { devices } = await invocation.client();
      const found: Candidate[] = [];
      for await (const page of devices.list({ timeoutMs: ANSWER_MS }))
        for (const { deviceAddress, name } of page.devices) found.push({ value: deviceAddress, description: name });
      return found;
    },
    sessions: async (names: readonly StateName[] = []) => {
      const { sessions } = await invocation.client();
      const { nameOf, SessionState } = await import('../../../typescript/src/client.js');
      const states = names.map((name) => SessionState[name]);
      const found: Candidate[] = [];
      for await (const page of sessions.list({ states, timeoutMs: ANSWER_MS }))
        for (const { sessionId, state, deviceAddress } of page.sessions)
          found.push({ value: sessionId, description: `${nameOf(SessionState, state)}, ${deviceAddress}` });
      return found;
    },
    contexts: async () => {
      const { contexts } = await invocation.contexts();
      return [...contexts].map(([value, { address }]) => ({ value, description: address }));
    },
  };
}
