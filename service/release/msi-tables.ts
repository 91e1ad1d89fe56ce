/**
 * Rows that are added to the installer's tables afterwards, because wixl 0.101 cannot make them
 * (D-96).
 *
 * Only `wfdd service` knows the settings of the service, so the installer runs it as LocalSystem
 * (D-95).
 *
 * Invariants: the data in ProgramData belong to no component, so no upgrade, repair or rollback
 * touches them. A service that cannot start never fails an installation.
 */
import { componentId, folderId, INSTALL_FOLDER } from './msi-source.js';

/**
 * The custom action type that runs a command line in a folder, with its options
 * (`msidbCustomActionType...`).
 */
const EXE_IN_FOLDER = 0x22;
const CONTINUE = 0x40;
const ROLLBACK = 0x100;
const COMMIT = 0x200;
const IN_SCRIPT = 0x400;
const NO_IMPERSONATE = 0x800;
const ELEVATED = EXE_IN_FOLDER | IN_SCRIPT | NO_IMPERSONATE;

/** `ServiceControl.Event`: stop the service before files are installed or removed. */
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
  /** The working folder: the program folder, unless it has been removed by then. */
  readonly folder?: string;
  readonly condition: string;
  readonly sequence: number;
}

/** The output of `wfdd service` goes to a file that only administrators can write (D-97). */
const LOG = 'install.log';

/**
 * Runs `wfdd service` with its output in the log. With /s, cmd.exe takes everything between the
 * outer quotes literally.
 */
function service(command: string): string {
  const program = `"[${INSTALL_FOLDER}]node.exe" "[${INSTALL_FOLDER}]service\\wfdd.cjs" service ${command}`;
  return `"[System64Folder]cmd.exe" /d /s /c "${program} >>"[${INSTALL_FOLDER}]${LOG}" 2>&1"`;
}

/** A real uninstall, not the first half of an upgrade. */
const isUninstall = 'REMOVE~="ALL" AND NOT UPGRADINGPRODUCTCODE';

/** In execution order. Files are removed at 3500 and installed at 4000. 6600 is the end. */
const actions: readonly Action[] = [
  {
    name: 'UndoUninstallService',
    type: ELEVATED | ROLLBACK | CONTINUE,
    command: service('install --unattended'),
    condition: isUninstall,
    sequence: 1950,
  },
  {
    // If the service is not wfdd or cannot be deleted now, the files are removed anyway.
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
    // If it does not start, the event log says why.
    name: 'StartService',
    type: ELEVATED | CONTINUE,
    command: service('start'),
    condition: 'NOT REMOVE AND START<>"0"',
    sequence: 5903,
  },
  {
    // Runs last, after everything else has been removed. Links are removed but not followed.
    name: 'RemoveData',
    type: ELEVATED | COMMIT | CONTINUE,
    command: '"[System64Folder]cmd.exe" /d /c rd /s /q "[CommonAppDataFolder]wfdd"',
    folder: 'TARGETDIR',
    condition: `${isUninstall} AND REMOVEDATA="1"`,
    sequence: 6500,
  },
];

const standardActions = [
  // Files of a service that Windows Installer stops do not count as in use, so no restart of
  // Windows is needed.
  { name: 'StopServices', sequence: 1900 },
  { name: 'RemoveEnvironmentStrings', sequence: 3300 },
  { name: 'WriteEnvironmentStrings', sequence: 5200 },
];

/** Additional properties. Public ones are passed to the elevated part of the installation. */
const PROPERTIES = ['LISTEN', 'HOSTID', 'START', 'REMOVEDATA'];

/** Tables that wixl does not create, as SQL for msibuild. */
export const newTables: readonly string[] = [
  'CREATE TABLE `Environment` (`Environment` CHAR(72) NOT NULL, `Name` CHAR(255) NOT NULL LOCALIZABLE, ' +
    '`Value` CHAR(255) LOCALIZABLE, `Component_` CHAR(72) NOT NULL PRIMARY KEY `Environment`)',
];

/** Changes to rows that wixl has created, as SQL for msibuild. */
export const changes: readonly string[] = [
  // Within the transaction, so that a failed upgrade keeps the old version.
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
      // For all users (*), set at installation (=), removed at uninstall (-).
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
        // Windows 10 and 11 report version 6.3 here.
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

/** A row as SQL for msibuild. */
export function insertion({ table, values }: Row): string {
  const columns = Object.keys(values).map((name) => `\`${name}\``);
  const literals = Object.values(values).map((value) => (typeof value === 'number' ? value : `'${value}'`));
  return `INSERT INTO \`${table}\` (${columns.join(', ')}) VALUES (${literals.join(', ')})`;
}
