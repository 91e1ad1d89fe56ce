/** The TypeScript client. What else there is to check of its package is in `test/clients`. */
import { match } from 'node:assert/strict';
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ApiReport, type Library, root, run, walkthrough } from '../library.js';

const agent = fileURLToPath(new URL('../agents/typescript.js', import.meta.url));
const story = fileURLToPath(new URL('../../story/walkthrough.js', import.meta.url));

export const typescript: Library = {
  language: 'TypeScript',
  lacks: undefined,
  prepare: async () => {},
  checks: [
    {
      name: 'its walkthrough ends with "ok"',
      run: async ({ address }) => match(await run(root, [process.execPath, story, address]), walkthrough),
    },
    ...['clients/typescript', 'clients/typescript/simulator', 'proto'].map((folder) => ({
      name: `the types of ${folder} are found by everybody who can import it`,
      run: async () => {
        const built = await build(folder);
        await run(built, ['npm', 'pack', '--ignore-scripts', '--silent']);
        const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
        // A package of ECMAScript modules: `require` of it works since Node 20.19, which attw does
        // not know.
        await run(built, ['sh', '-c', '"$0" "$1" *.tgz --profile esm-only --no-emoji', process.execPath, attw]);
      },
    })),
  ],
  apiReports: [apiReport('clients/typescript', 'client'), apiReport('clients/typescript/simulator', 'simulator')],
  agents: [{ name: 'TypeScript', command: [process.execPath, agent] }],
};

/** Builds a package as it is published, to its folder. */
async function build(folder: string): Promise<string> {
  const built = join(root, 'dist/test/conformance/packages', folder, 'package');
  await rm(built, { recursive: true, force: true });
  await mkdir(built, { recursive: true });
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  await run(root, [process.execPath, tsc, '-p', folder, '--outDir', join(built, 'dist')]);
  await copyFile(join(root, folder, 'package.json'), join(built, 'package.json'));
  return built;
}

function apiReport(folder: string, name: string): ApiReport {
  return {
    file: `${folder}/${name}.api.md`,
    make: async () => {
      const built = await build(folder);
      const { exports } = JSON.parse(await readFile(join(built, 'package.json'), 'utf8'));
      await extract(built, join(built, exports['.'].types), name);
      return readFile(join(built, `${name}.api.md`), 'utf8');
    },
  };
}

/** Has API Extractor write its report of a package into the package's folder. */
async function extract(built: string, entry: string, reportFileName: string): Promise<void> {
  // Only here, as it brings a compiler of its own.
  const { Extractor, ExtractorConfig, ExtractorLogLevel } = await import('@microsoft/api-extractor');
  const compilerOptions = { module: 'nodenext', target: 'es2022', strict: true, types: ['node'], skipLibCheck: true };
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: built,
      mainEntryPointFilePath: entry,
      compiler: { overrideTsconfig: { compilerOptions, files: [entry] } },
      apiReport: {
        enabled: true,
        reportFolder: built,
        reportTempFolder: join(built, 'temp'),
        reportFileName,
        includeForgottenExports: true,
      },
      newlineKind: 'lf',
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(built, 'package.json'),
  });
  const { succeeded } = Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => {
      message.handled = message.logLevel !== ExtractorLogLevel.Error;
    },
  });
  if (!succeeded) throw new Error(`API Extractor has failed on ${entry}`);
}
