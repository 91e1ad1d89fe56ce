/**
 * The dialogs for actions, and the help. An error is shown in the dialog, with the sentence of
 * `wfdctl`.
 */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { type Dialog, dialog, host, link } from './app.js';
import { act } from './connection.js';
import type { HostModel } from './model.js';

const LEASES = [
  { ms: 60_000, label: '1 minute' },
  { ms: 5 * 60_000, label: '5 minutes' },
  { ms: 60 * 60_000, label: '1 hour' },
  { ms: 8 * 60 * 60_000, label: '8 hours' },
] as const;

export function Dialogs() {
  const request = dialog.value;
  const model = host.value;
  if (request === undefined || model === undefined) return null;
  switch (request.kind) {
    case 'help':
      return <Help />;
    case 'open':
      return <Open request={request} model={model} />;
    case 'end':
      return <End request={request} model={model} />;
    case 'renew':
      return <Renew request={request} model={model} />;
  }
}

function close(): void {
  dialog.value = undefined;
}

function Modal({ title, children }: { title: string; children: ComponentChildren }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog ref={box} onClose={close} aria-labelledby="dialog-title">
      <h2 id="dialog-title" class="dialog-title">
        {title}
      </h2>
      {children}
    </dialog>
  );
}

interface AskProps {
  readonly title: string;
  readonly children: ComponentChildren;
  /** The label of the button. */
  readonly label: string;
  readonly isDanger?: boolean;
  readonly run: () => Promise<void>;
}

function Ask({ title, children, label, isDanger = false, run }: AskProps) {
  const state = useSignal<{ readonly isBusy: boolean; readonly error?: string }>({ isBusy: false });
  const submit = async (event: Event) => {
    event.preventDefault();
    state.value = { isBusy: true };
    try {
      await run();
      close();
    } catch (error) {
      state.value = { isBusy: false, error: error instanceof Error ? error.message : String(error) };
    }
  };
  return (
    <Modal title={title}>
      <form onSubmit={submit}>
        {children}
        <p class="dialog-error" role="alert">
          {state.value.error}
        </p>
        <p class="dialog-actions">
          <button type="button" onClick={close}>
            Back
          </button>
          <button type="submit" class={isDanger ? 'danger solid' : 'primary'} disabled={state.value.isBusy}>
            {state.value.isBusy ? 'Waiting for the host …' : label}
          </button>
        </p>
      </form>
    </Modal>
  );
}

type Of<Kind extends Dialog['kind']> = Extract<Dialog, { kind: Kind }>;

function Leases({ lease }: { lease: { value: number } }) {
  return (
    <label>
      Lease
      <select
        value={lease.value}
        onChange={(event) => {
          lease.value = Number(event.currentTarget.value);
        }}
      >
        {LEASES.map(({ ms, label }) => (
          <option key={ms} value={ms}>
            {label}
          </option>
        ))}
      </select>
      <small>The host closes the session after this time, unless the lease is renewed.</small>
    </label>
  );
}

function Open({ request, model }: { request: Of<'open'>; model: HostModel }) {
  const devices = [...model.devices.values()].sort((a, b) => (a.deviceAddress < b.deviceAddress ? -1 : 1));
  const address = useSignal(request.deviceAddress ?? devices[0]?.deviceAddress ?? '');
  const lease = useSignal<number>(LEASES[1].ms);
  const run = async () => {
    const isLegacy = model.devices.get(address.value)?.isLegacy === true;
    const body = { host: model.name, deviceAddress: address.value, leaseTtlMs: lease.value, isLegacy };
    const { sessionId } = await act('open', body);
    location.hash = link('sessions', { id: String(sessionId) });
  };
  return (
    <Ask title="Open a session" label="Open" run={run}>
      <label>
        Device
        <select
          required
          value={address.value}
          onChange={(event) => {
            address.value = event.currentTarget.value;
          }}
        >
          {devices.map(({ deviceAddress, name }) => (
            <option key={deviceAddress} value={deviceAddress}>
              {name ? `${name} (${deviceAddress})` : deviceAddress}
            </option>
          ))}
        </select>
        {devices.length === 0 && (
          <small>No device is paired with the host. Pair one in the Windows settings of the host.</small>
        )}
      </label>
      <Leases lease={lease} />
    </Ask>
  );
}

function End({ request: { action, sessionId }, model }: { request: Of<'end'>; model: HostModel }) {
  const session = model.sessions.get(sessionId);
  const { deviceAddress = '', owner = '' } = session?.shape ?? {};
  const run = async () => {
    await act(action, { host: model.name, sessionId });
  };
  const isCancel = action === 'cancel';
  return (
    <Ask
      title={isCancel ? 'Cancel this open?' : 'Close this session?'}
      label={isCancel ? 'Cancel the open' : 'Close the session'}
      isDanger
      run={run}
    >
      <p>
        {isCancel ? 'The host stops connecting to ' : 'The host disconnects from '}
        <b>{model.nameOf(deviceAddress)}</b>. The session belongs to <b>{owner}</b>. The host notifies the programs that
        use it.
      </p>
      <p class="id">{sessionId}</p>
    </Ask>
  );
}

function Renew({ request: { sessionId }, model }: { request: Of<'renew'>; model: HostModel }) {
  const lease = useSignal<number>(LEASES[1].ms);
  const run = async () => {
    await act('renew', { host: model.name, sessionId, leaseTtlMs: lease.value });
  };
  return (
    <Ask title="Renew the lease" label="Renew" run={run}>
      <Leases lease={lease} />
    </Ask>
  );
}

const KEYS: readonly (readonly [string, string])[] = [
  ['/', 'search sessions, devices or events'],
  ['↑ ↓ Home End', 'move in a list'],
  ['Enter', 'open the selected entry'],
  ['1 2 3 4', 'overview, sessions, devices, events'],
  ['Esc', 'leave the search or a dialog'],
  ['?', 'show this help'],
];

function Help() {
  return (
    <Modal title="Keys">
      <dl class="keys">
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              {key.split(' ').map((each) => (
                <kbd key={each}>{each}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p class="dim">
        Times are in the time zone of this browser. Point at a time to see it in UTC. Ages and leases use the clock of
        the host.
      </p>
      <p class="dialog-actions">
        <button type="button" class="primary" onClick={close}>
          Back
        </button>
      </p>
    </Modal>
  );
}
