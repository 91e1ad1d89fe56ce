/**
 * `npm run image:context`: makes `dist/image/`, the build context of the OCI image of the daemon on
 * the simulator (service/operate/Containerfile). Build it with `podman build dist/image`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Contents, filesIn, sorted, writeFolder } from '../bundle/contents.js';
import { licencesDocument, licensed } from '../bundle/licences.js';
import { bundledPackages } from '../bundle/programs.js';
import { isReadByNode, programFiles } from '../bundle/windows.js';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
/** koffi with its native module for the image. */
const folders = ['node_modules/koffi', 'node_modules/@koromix/koffi-linux-x64'];

/** The files of the folder. Throws if the project has not been built. */
export function imageContext(): Contents {
  const read = (path: string) => readFileSync(join(repository, path));
  const packages = [...bundledPackages(), ...folders].map((path) => licensed(join(repository, path)));
  const program: (readonly [string, Uint8Array])[] = [
    ...programFiles(),
    ['THIRD-PARTY-LICENSES.txt', Buffer.from(licencesDocument(packages))],
    ['dist/native/simulator/libwfdsim.so', read('dist/native/simulator/libwfdsim.so')],
    ...folders.flatMap((folder) =>
      filesIn(join(repository, folder), isReadByNode)
        .filter(([path]) => !path.startsWith('musl'))
        .map(([path, bytes]) => [`${folder}/${path}`, bytes] as const),
    ),
  ];
  return sorted([
    ['Containerfile', read('service/operate/Containerfile')],
    ...program.map(([path, bytes]) => [`wfdd/${path}`, bytes] as const),
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = join(repository, 'dist/image');
  const contents = imageContext();
  writeFolder(folder, contents);
  console.log(`${contents.size} files in ${folder}; build it with: podman build --tag wfdd dist/image`);
}
