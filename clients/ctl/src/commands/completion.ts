/** `wfdctl completion`: the script that teaches a shell to complete; it asks `wfdctl __complete` at each press of Tab. */
import { readFile } from 'node:fs/promises';
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Surroundings } from '../surroundings.js';

/** The files of `completions/`, named as these shells look for them. */
const FILES = { bash: 'wfdctl.bash', zsh: '_wfdctl', powershell: 'wfdctl.ps1' } as const;

export type Shell = keyof typeof FILES;
export const SHELLS = Object.keys(FILES) as Shell[];

export async function printCompletion(shell: Shell, { packageFolder, stdout }: Surroundings): Promise<ExitCode> {
  stdout.write(await readFile(new URL(`completions/${FILES[shell]}`, packageFolder), 'utf8'));
  return EXIT.ok;
}
