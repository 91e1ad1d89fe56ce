/** The devices that are paired with the host, and the page of one device with its sessions. */
import { useSignal } from '@preact/signals';
import { about, dialog, host, link, revision, route } from './app.js';
import { act } from './connection.js';
import { type HostModel, LIVE } from './model.js';
import { Callout, Copy, Empty, RANGES, StateMark } from './parts.js';
import { inOrder, SessionRow } from './sessions.js';
import type { DeviceShape } from './shapes.js';

export function Devices({ model }: { model: HostModel }) {
  revision.value;
  const { query } = route.value;
  const found = [...model.devices.values()]
    .filter(({ deviceAddress, name = '' }) => `${deviceAddress}\n${name}`.toLowerCase().includes(query.toLowerCase()))
    .sort((a, b) => (a.deviceAddress < b.deviceAddress ? -1 : 1));
  return (
    <section class="view" aria-labelledby="devices-title">
      <div class="toolbar">
        <h1 id="devices-title">
          Devices <span class="count">{found.length}</span>
        </h1>
      </div>
      {model.devicesMessage !== undefined && (
        <Callout tone="wait" title="The host can't list its devices now">
          <p class="remedy">{model.devicesMessage}</p>
        </Callout>
      )}
      {found.length === 0 ? (
        <NoDevices model={model} query={query} />
      ) : (
        <ul class="cards">
          {found.map((device) => (
            <li key={device.deviceAddress}>
              <DeviceCard device={device} model={model} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function NoDevices({ model, query }: { model: HostModel; query: string }) {
  if (query !== '')
    return (
      <Empty title={`No device matches “${query}”.`}>
        <p>
          <a href={link('devices')}>Show all</a>
        </p>
      </Empty>
    );
  if (!model.hasDevices) return <Empty title="Waiting for the devices of the host …" />;
  return (
    <Empty title="No device is paired with this host.">
      <p>Pair one in the Windows settings of the host: Bluetooth &amp; devices, Add device. It then appears here.</p>
    </Empty>
  );
}

function liveSessionOf({ deviceAddress }: DeviceShape, model: HostModel) {
  for (const session of model.sessions.values())
    if (session.shape.deviceAddress === deviceAddress && LIVE.has(session.state)) return session;
  return undefined;
}

function DeviceCard({ device, model }: { device: DeviceShape; model: HostModel }) {
  const { deviceAddress, name } = device;
  const session = liveSessionOf(device, model);
  return (
    <article class="card device">
      <h2>
        <a href={link('devices', { id: deviceAddress })}>{name || deviceAddress}</a>
      </h2>
      <p class="id-line">
        <span class="id">{deviceAddress}</span> <Copy text={deviceAddress} what="device address" />
      </p>
      <Properties device={device} />
      <p class="device-session">
        {session === undefined ? (
          <span class="dim">No session</span>
        ) : (
          <a href={link('sessions', { id: session.id })}>
            <StateMark state={session.state} /> <span class="cut">{session.id}</span>
          </a>
        )}
      </p>
      <DeviceActions device={device} />
    </article>
  );
}

function Properties({ device }: { device: DeviceShape }) {
  const { isVisible, isLegacy, isPresent, isTransient, linkQuality } = device;
  const visibility = isVisible === undefined ? 'not searched for' : isVisible ? 'in reach' : 'not in reach';
  const rest = [isPresent === false && 'off or away', isLegacy && 'legacy (WPS)', isTransient && 'transient'];
  return (
    <p class="properties">
      <span>{[visibility, ...rest.filter(Boolean)].join(' · ')}</span>
      {linkQuality !== undefined && (
        <span class="quality">
          <span class="meter" aria-hidden="true">
            <i style={{ width: `${linkQuality}%` }} />
          </span>
          <span class="unseen">Link quality</span>
          <span class="number">{linkQuality} %</span>
        </span>
      )}
    </p>
  );
}

function DeviceActions({ device: { deviceAddress } }: { device: DeviceShape }) {
  const search = useSignal<'no' | 'yes' | { readonly result: string }>('no');
  if (!about.value.allowsActions) return null;
  const start = async () => {
    search.value = 'yes';
    try {
      const { isVisible, discoveryCompleted } = await act('look', { host: host.value?.name, deviceAddress });
      const found = isVisible ? 'It is in reach.' : 'Not found. Check that it is on and near the host.';
      search.value = { result: discoveryCompleted ? found : 'The search has not finished. Search again in a moment.' };
    } catch (error) {
      search.value = { result: error instanceof Error ? error.message : String(error) };
    }
  };
  return (
    <p class="actions">
      <button
        type="button"
        onClick={() => {
          dialog.value = { kind: 'open', deviceAddress };
        }}
      >
        Open …
      </button>
      <button type="button" disabled={search.value === 'yes'} onClick={start}>
        {search.value === 'yes' ? 'Searching …' : 'Search'}
      </button>
      <span class="said" role="status">
        {typeof search.value === 'object' ? search.value.result : ''}
      </span>
    </p>
  );
}

export function DeviceView({ id, model }: { id: string; model: HostModel }) {
  revision.value;
  const device = model.devices.get(id);
  const sessions = [...model.sessions.values()].filter(({ shape }) => shape.deviceAddress === id).sort(inOrder);
  return (
    <section class="view" aria-labelledby="device-title">
      <p class="crumbs">
        <a href={link('devices')}>Devices</a>
      </p>
      <h1 id="device-title">{model.nameOf(id)}</h1>
      <p class="id-line">
        <span class="id">{id}</span> <Copy text={id} what="device address" />
      </p>
      {device === undefined ? (
        <Empty title={model.hasDevices ? 'This device is not paired with the host.' : 'Waiting for the host …'}>
          <p>Pair it in the Windows settings of the host.</p>
        </Empty>
      ) : (
        <>
          <Properties device={device} />
          <DeviceActions device={device} />
        </>
      )}
      <h2 class="part-title">Sessions</h2>
      {sessions.length === 0 ? (
        <p class="dim">None that this host remembers.</p>
      ) : (
        <div class="table sessions-table short">
          {sessions.slice(0, 50).map((session) => (
            <SessionRow key={session.id} session={session} model={model} rangeMs={RANGES[2].ms} />
          ))}
        </div>
      )}
    </section>
  );
}
