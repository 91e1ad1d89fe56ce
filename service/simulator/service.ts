/**
 * `wifidirect.simulator.v1.SimulatorService`: scripts the simulated world. Served only if the
 * command line requests it.
 */
import { winerror } from '../../native/constants.js';
import { type SimulatorControl, SimulatorError } from '../../native/simulator-control.js';
import type {
  CallScript,
  CloseScript,
  Notifications,
  OpenScript,
  ServiceStop,
  SimulatorLimits,
  VisibilityScript,
} from '../../native/simulator-types.js';
import * as proto from '../../proto/gen/wifidirect/simulator/v1/simulator_service.js';
import { type Service, serviceOf } from '../api/method.js';
import * as check from '../api/requests.js';
import { toDuration } from '../codec/messages.js';
import { FaultError, invalidField } from '../fault.js';
import * as from from './messages.js';

export function simulatorService(control: SimulatorControl): Service {
  return serviceOf(proto.SimulatorServiceDefinition, {
    ...worldMethods(control),
    ...deviceMethods(control),
    ...scriptMethods(control),
  });
}

/** The clock, the limits and the services of the simulated world. */
function worldMethods(control: SimulatorControl) {
  const time = () => ({ time: toDuration(Number(control.clockMs())) });
  return {
    resetWorld: rpc((_: proto.ResetWorldRequest) => {
      control.reset();
      return {};
    }),
    setDefaults: rpc(({ defaults }: proto.SetDefaultsRequest) => {
      control.setDefaults(from.fromDefaults(defaults));
      return { defaults: from.toDefaults(control.defaults()) };
    }),
    setLimits: rpc(({ limits }: proto.SetLimitsRequest) => {
      const { clientsMax, sessionsMax, memoryExhausted: isMemoryExhausted } = limits ?? {};
      control.setLimits(from.given<SimulatorLimits>({ clientsMax, sessionsMax, isMemoryExhausted }));
      const set = control.limits();
      return { limits: { ...set, memoryExhausted: set.isMemoryExhausted } };
    }),
    setClock: rpc(({ mode }: proto.SetClockRequest) => {
      if (mode !== proto.ClockMode.REAL && mode !== proto.ClockMode.MANUAL) {
        throw check.invalid('mode', String(mode), 'must be CLOCK_MODE_REAL or CLOCK_MODE_MANUAL');
      }
      control.setClock(mode === proto.ClockMode.MANUAL ? 'manual' : 'real');
      return time();
    }),
    advanceClock: rpc(
      ({ duration }: proto.AdvanceClockRequest) => {
        const ms = from.fromMs('duration', duration);
        if (ms === undefined) throw new FaultError(invalidField('duration', 'is required.'));
        control.advanceClock(ms);
        return time();
      },
      ['duration', 'requires a stopped clock. Call SetClock with CLOCK_MODE_MANUAL first.'],
    ),
    stopWlanService: rpc((stop: proto.StopWlanServiceRequest) => {
      if (stop.callCode === 0) throw check.invalid('call_code', '0', 'must be an error code');
      if (stop.blockedCallCode === 0) throw check.invalid('blocked_call_code', '0', 'must be an error code');
      control.stopService(from.given<ServiceStop>(stop));
      return {};
    }),
    startWlanService: rpc((_: proto.StartWlanServiceRequest) => {
      control.startService();
      return {};
    }),
    abortDeviceQueries: rpc((_: proto.AbortDeviceQueriesRequest) => ({
      abortedCount: control.abortDeviceQueries(),
    })),
    setNotifications: rpc(({ interfaces, addresses, devices }: proto.SetNotificationsRequest) => {
      control.setNotifications(from.given<Notifications>({ interfaces, addresses, devices }));
      return {};
    }),
    getMisuse: rpc((_: proto.GetMisuseRequest) => {
      const { opens, closes, lostRaces, ...live } = control.counts();
      return {
        ...from.toMisuse(control.misuse()),
        live: { ...live, opens: BigInt(opens), closes: BigInt(closes), lostRaces: BigInt(lostRaces) },
      };
    }),
  };
}

/** Devices and their links. */
function deviceMethods(control: SimulatorControl) {
  const device = (deviceAddress: string) => {
    const found = control.findDevice(deviceAddress);
    return { device: found && from.toSimulatedDevice(found) };
  };
  return {
    addDevice: rpc(({ deviceAddress, settings }: proto.AddDeviceRequest) => {
      const address = check.deviceAddress(deviceAddress);
      control.addDevice(address, from.fromSettings(settings));
      return device(address);
    }),
    updateDevice: rpc(({ deviceAddress, settings }: proto.UpdateDeviceRequest) => {
      const address = check.deviceAddress(deviceAddress);
      control.updateDevice(address, from.fromSettings(settings));
      return device(address);
    }),
    removeDevice: rpc(({ deviceAddress }: proto.RemoveDeviceRequest) => {
      control.removeDevice(check.deviceAddress(deviceAddress));
      return {};
    }),
    listSimulatedDevices: rpc((_: proto.ListSimulatedDevicesRequest) => ({
      devices: control.listDevices().map(from.toSimulatedDevice),
    })),
    setDeviceNode: rpc(
      (request: proto.SetDeviceNodeRequest) => {
        control.setNode(check.deviceAddress(request.deviceAddress), from.fromNode(request));
        return {};
      },
      ['suffix', 'exceeds the limit of four nodes for each device. Remove a node first.'],
    ),
    removeDeviceNode: rpc(
      ({ deviceAddress, suffix }: proto.RemoveDeviceNodeRequest) => {
        control.removeNode(check.deviceAddress(deviceAddress), suffix);
        return {};
      },
      undefined,
      'such node of device',
    ),
    setNodeProperties: rpc(({ onDevices = true, onInterfaces = false }: proto.SetNodePropertiesRequest) => {
      control.setNodeProperties({ onDevices, onInterfaces });
      return {};
    }),
    dropLink: rpc(
      ({ deviceAddress, end }: proto.DropLinkRequest) => {
        control.dropLink(check.deviceAddress(deviceAddress), from.fromLinkEnd(end));
        return {};
      },
      undefined,
      'link to device',
    ),
  };
}

/** Scripts for the next calls of the Windows functions. */
function scriptMethods(control: SimulatorControl) {
  return {
    scriptOpen: rpc((script: proto.ScriptOpenRequest) => {
      const { error, cancelled } = script;
      control.scriptOpen(
        from.given<OpenScript>({
          ...from.fromScope(script.scope),
          code: script.startCode,
          error,
          reasonCode: error === undefined ? undefined : script.reasonCode,
          delayMs: from.fromDelay('delay', script.delay),
          isCallbackFirst: script.callbackFirst,
          doesCancelLose: script.cancelLoses,
          cancelError: cancelled?.error,
          cancelReasonCode: cancelled?.reasonCode,
          cancelMs: from.fromDelay('cancelled.delay', cancelled?.delay),
          interfaceMs: from.fromDelay('interface_delay', script.interfaceDelay),
          nodeMs: from.fromDelay('node_delay', script.nodeDelay),
          dropMs: from.fromDelay('drop_delay', script.dropDelay),
        }),
      );
      return {};
    }),
    scriptClose: rpc(({ scope, code, delay, end }: proto.ScriptCloseRequest) => {
      const delayMs = from.fromDelay('delay', delay);
      control.scriptClose(
        from.given<CloseScript>({ ...from.fromScope(scope), code, delayMs, end: from.fromLinkEnd(end) }),
      );
      return {};
    }),
    scriptVisibility: rpc(({ scope, code, delay, visible }: proto.ScriptVisibilityRequest) => {
      const delayMs = from.fromDelay('delay', delay);
      const flag = from.fromFlag('visible', visible);
      control.scriptVisibility(
        from.given<VisibilityScript>({ ...from.fromScope(scope), code, delayMs, visible: flag }),
      );
      return {};
    }),
    scriptCall: rpc(
      ({ function: fn, count: times, block, code }: proto.ScriptCallRequest) => {
        const name = from.fromFunction(fn);
        if (name === undefined) throw new FaultError(invalidField('function', 'is required.'));
        const [count, blockMs] = [from.fromCount(times), from.fromDelay('block', block)];
        control.scriptCall({
          function: name,
          ...from.given<Omit<CallScript, 'function'>>({ count, blockMs, code }),
        });
        return {};
      },
      ['function', 'cannot be scripted. It only appears in misuse records.'],
    ),
    clearScripts: rpc((_: proto.ClearScriptsRequest) => {
      control.clearScripts();
      return {};
    }),
    releaseCalls: rpc(({ function: fn }: proto.ReleaseCallsRequest) => ({
      releasedCount: control.releaseCalls(from.fromFunction(fn)),
    })),
  };
}

/**
 * A method. If the world refuses a request as invalid, `refused` names the field and the problem.
 * If the world lacks something that the request names, `missing` says what.
 */
function rpc<Request, Answer>(handle: (request: Request) => Answer, refused?: Refused, missing = 'device') {
  return {
    answer: (request: Request): Answer => {
      try {
        return handle(request);
      } catch (error) {
        throw toFault(error, request as { readonly deviceAddress?: string }, missing, refused);
      }
    },
  };
}

type Refused = readonly [field: string, problem: string];

/** The error for the client, if the world has refused the request. */
function toFault(
  error: unknown,
  { deviceAddress = '' }: { readonly deviceAddress?: string },
  missing: string,
  refused?: Refused,
): unknown {
  if (!(error instanceof SimulatorError)) return error;
  if (error.code === winerror.ERROR_ALREADY_EXISTS) {
    return new FaultError(invalidField('device_address', 'is already paired.'));
  }
  if (error.code === winerror.ERROR_NOT_FOUND) {
    return new FaultError({
      reason: 'DEVICE_NOT_FOUND',
      message: `The simulated world has no ${missing} ${deviceAddress}.`,
      metadata: { device_address: deviceAddress },
      resource: { type: 'wifidirect.simulator.v1.SimulatedDevice', name: deviceAddress },
    });
  }
  return refused === undefined ? error : new FaultError(invalidField(...refused));
}
