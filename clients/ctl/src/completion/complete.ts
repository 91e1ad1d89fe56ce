/**
 * `wfdctl __complete INDEX WORD...`: the hidden command that the scripts in `completions/` run at
 * each Tab. INDEX is the position of the word that is being typed. If there is no word at that
 * position, the word is empty (some shells drop empty words).
 *
 * Prints one candidate per line, followed by a tab and its description, or the one line `:files`.
 * On an error it prints nothing, because a message would disturb the line that the user is typing.
 */
import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../exit-code.js';
import { type Environment, type GlobalOptions, Invocation } from '../invocation.js';
import type { StateName } from '../operands.js';
import { printable } from '../text/printable.js';
import { type Candidate, candidatesFor, type Sources } from './candidates.js';
import { readTyped } from './typed.js';

/** Longer than this, nobody waits for Tab. */
const ANSWER_MS = 2000;

export async function complete(program: Command, argv: readonly string[], environment: Environment): Promise<ExitCode> {
  const [index = '0', ...words] = argv;
  const typed = readTyped(program, [...words, ''].slice(0, Number(index) + 1));
  const invocation = new Invocation(typed.flags as GlobalOptions, { ...environment, stderr: { write: () => {} } });
  try {
    const candidates = await candidatesFor(typed, program, sourcesOf(invocation));
    environment.stdout.write(candidates === 'files' ? ':files\n' : candidates.map(lineOf).join(''));
  } catch {
    // Without a host or a context file there are no candidates.
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
