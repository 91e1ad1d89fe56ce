/**
 * `npm run release`: makes everything that is published for a version, in `dist/release/`:
 *
 *   wfdd-<version>-win-x64.zip, .cdx.json   the bundle for Windows, and its bill of materials
 *   wfdd-<version>-x64.msi                  the same, as an installer
 *   winget/                                 the manifests of the installer for winget
 *   SHA256SUMS                              of all of these
 *
 * If SIGN_COMMAND is set, `SIGN_COMMAND FILE` signs every binary and then the installer, in place.
 */
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesIn, sha256, sha256Lines, sorted } from '../bundle/contents.js';
import { signedFile } from '../bundle/sign.js';
import { bundleForWindows, bundleOutput, say } from '../bundle/windows.js';
import { buildMsi, hasMsiTools, MSI_TOOLS_REMEDY } from './msi.js';
import { wingetManifests } from './winget.js';

const output = fileURLToPath(new URL('../../../dist/release', import.meta.url));

/** Makes the release. Throws if something is missing. */
function release(signer: string | undefined): void {
  if (!hasMsiTools()) throw new Error(`The tools for the installer are missing. Run: ${MSI_TOOLS_REMEDY}`);
  const { version, contents } = bundleForWindows(bundleOutput, signer);
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  for (const name of readdirSync(bundleOutput).filter((file) => /\.(zip|json)$/.test(file))) {
    copyFileSync(join(bundleOutput, name), join(output, name));
  }
  say('making the installer');
  const unsigned = buildMsi(contents, version);
  const name = `wfdd-${version}-x64.msi`;
  const msi = signer === undefined ? unsigned : signedFile(name, unsigned, signer);
  writeFileSync(join(output, name), msi);
  for (const [path, text] of wingetManifests(version, name, sha256(msi))) {
    mkdirSync(join(output, 'winget'), { recursive: true });
    writeFileSync(join(output, 'winget', path), text);
  }
  const files = sorted(filesIn(output, () => true));
  writeFileSync(join(output, 'SHA256SUMS'), sha256Lines(files));
  say(`done: ${files.size} files in ${output}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    release(process.env['SIGN_COMMAND']);
  } catch (error) {
    console.error(`release: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
