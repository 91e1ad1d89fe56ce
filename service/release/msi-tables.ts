/**
 * The part of the installer that wixl 0.101 can't make: rows that are put into its tables afterwards.
 *
 * The service has one home for its settings, `wfdd service`, and the installer runs that as LocalSystem. Rules that must
 * not be broken: **the data in ProgramData belong to no component**, so no upgrade, repair or rollback touches them; and
 * **a service that can't start never fails an installation**.
 */
import { componentId, folderId, INSTALL_FOLDER } from './msi-source.js';

/** The type of a custom action that runs a command line in a folder, and its options (`msidbCustomActionType...`). */
const EXE_IN_FOLDER = 0x22;
const CONTINUE = 0x40;
const ROLLBACK = 0x100;
const COMMIT = 0x200;
const IN_SCRIPT = 0x400;
const NO_IMPERSONATE = 0x800;
const ELEVATED = EXE_IN_FOLDER | IN_SCRIPT | NO_IMPERSONATE;

/** What `ServiceControl.Event` asks for: to stop the service when files are laid down, and when they are removed. */
const STOP_ON_INSTALL = 0x2;
const STOP_ON_UNINSTALL = 0x20;

/** `RemoveFile.InstallMode`. */
const ON_REMOVAL = 2;

export interface Row {
  readonly table: string;
  readonly values: Readonly<Record<string, string | number>>;
}

interface Action {
  readonly name: string;
  readonly type: number;
  readonly command: string;
  /** The working folder; that of the program unless it is gone by then. */
  readonly folder?: string;
  readonly condition: string;
  readonly sequence: number;
}

/** What `wfdd service` says is read by nobody, so it is kept in a file that only administrators can write. */
const LOG = 'install.log';

/** Runs `wfdd service` with its output in the log. With /s, cmd.exe takes all between the outer quotes as it is. */
function service(command: string): string {
  const program = `"[${INSTALL_FOLDER}]node.exe" "[${INSTALL_FOLDER}]service\\wfdd.cjs" service ${command}`;
  return `"[System64Folder]cmd.exe" /d /s /c "${program} >>"[${INSTALL_FOLDER}]${LOG}" 2>&1"`;
}

/** Removes everything, and not as the first half of an upgrade. */
const isUninstall = 'REMOVE~="ALL" AND NOT UPGRADINGPRODUCTCODE';

/** In the order in which they run. Files are removed at 3500 and laid down at 4000; 6600 is the end. */
const actions: readonly Action[] = [
  {
    name: 'UndoUninstallService',
    type: ELEVATED | ROLLBACK | CONTINUE,
    command: service('install --unattended'),
    condition: isUninstall,
    sequence: 1950,
  },
  {
    // Where the service is somebody else's, or can't be deleted now, the files go all the same.
    name: 'UninstallService',
    type: ELEVATED | CONTINUE,
    command: service('uninstall'),
    condition: isUninstall,
    sequence: 1951,
  },
  {
    name: 'UndoInstallService',
    type: ELEVATED | ROLLBACK | CONTINUE,
    command: service('uninstall'),
    condition: 'NOT Installed AND NOT WIX_UPGRADE_DETECTED',
    sequence: 5901,
  },
  {
    name: 'InstallService',
    type: ELEVATED,
    command: service('install --unattended --seed "listen=[LISTEN]" --seed "hostId=[HOSTID]"'),
    condition: 'NOT REMOVE',
    sequence: 5902,
  },
  {
    // Why it did not start is in the event log.
    name: 'StartService',
    type: ELEVATED | CONTINUE,
    command: service('start'),
    condition: 'NOT REMOVE AND START<>"0"',
    sequence: 5903,
  },
  {
    // Only once all else is gone for certain. Links are removed, and not followed.
    name: 'RemoveData',
    type: ELEVATED | COMMIT | CONTINUE,
    command: '"[System64Folder]cmd.exe" /d /c rd /s /q "[CommonAppDataFolder]wfdd"',
    folder: 'TARGETDIR',
    condition: `${isUninstall} AND REMOVEDATA="1"`,
    sequence: 6500,
  },
];

const standardActions = [
  // Windows Installer counts what it stops itself as not in use, so no restart of Windows is asked for.
  { name: 'StopServices', sequence: 1900 },
  { name: 'RemoveEnvironmentStrings', sequence: 3300 },
  { name: 'WriteEnvironmentStrings', sequence: 5200 },
];

/** Properties beside those of wixl. The public ones are passed on to the part that runs elevated. */
export const PROPERTIES = ['LISTEN', 'HOSTID', 'START', 'REMOVEDATA'];

/** Tables that wixl does not make, as SQL of msibuild. */
export const newTables: readonly string[] = [
  'CREATE TABLE `Environment` (`Environment` CHAR(72) NOT NULL, `Name` CHAR(255) NOT NULL LOCALIZABLE, ' +
    '`Value` CHAR(255) LOCALIZABLE, `Component_` CHAR(72) NOT NULL PRIMARY KEY `Environment`)',
];

/** Changes of rows that wixl has made, as SQL of msibuild. */
export const changes: readonly string[] = [
  // Within the transaction, so that an upgrade that fails leaves what was there.
  "UPDATE `InstallExecuteSequence` SET `Sequence` = 1501 WHERE `Action` = 'RemoveExistingProducts'",
  `UPDATE \`Property\` SET \`Value\` = 'WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED;${PROPERTIES.join(';')}' WHERE \`Property\` = 'SecureCustomProperties'`,
];

/** The rows to add. */
export function rows(): Row[] {
  const steps = [...standardActions.map((action) => ({ ...action, condition: '' })), ...actions];
  return [
    ...actions.map(({ name, type, command, folder = INSTALL_FOLDER }) => ({
      table: 'CustomAction',
      values: { Action: name, Type: type, Source: folder, Target: command },
    })),
    ...steps.map(({ name, condition, sequence }) => ({
      table: 'InstallExecuteSequence',
      values: { Action: name, ...(condition === '' ? {} : { Condition: condition }), Sequence: sequence },
    })),
    {
      table: 'ServiceControl',
      values: {
        ServiceControl: 'StopWfdd',
        Name: 'wfdd',
        Event: STOP_ON_INSTALL | STOP_ON_UNINSTALL,
        Wait: 1,
        Component_: componentId('service/wfdd.cjs'),
      },
    },
    {
      // For all users (*), made at installation (=), taken back at removal (-).
      table: 'Environment',
      values: {
        Environment: 'Path',
        Name: '=-*PATH',
        Value: `[~];[${folderId('bin/')}]`,
        Component_: componentId('bin/wfdctl.cmd'),
      },
    },
    {
      table: 'LaunchCondition',
      values: {
        // Windows 10 and 11 call themselves 6.3 here.
        Condition: 'Installed OR (VersionNT64 AND VersionNT >= 603)',
        Description: 'The Wi-Fi Direct Gateway needs 64-bit Windows 10, or newer.',
      },
    },
    {
      table: 'RemoveFile',
      values: {
        FileKey: 'RemoveLog',
        Component_: componentId('service/wfdd.cjs'),
        FileName: LOG,
        DirProperty: INSTALL_FOLDER,
        InstallMode: ON_REMOVAL,
      },
    },
    { table: 'Property', values: { Property: 'ARPNOMODIFY', Value: '1' } },
  ];
}

/** A row as SQL of msibuild. */
export function insertion({ table, values }: Row): string {
  const columns = Object.keys(values).map((name) => `\`${name}\``);
  const literals = Object.values(values).map((value) => (typeof value === 'number' ? value : `'${value}'`));
  return `INSERT INTO \`${table}\` (${columns.join(', ')}) VALUES (${literals.join(', ')})`;
}
