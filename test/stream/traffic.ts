/**
 * Sessions that open, fail, close, drop, lapse and are left at random, for as long as a test wants
 * them to.
 */
import { ListDevicesRequest } from '../../proto/gen/wifidirect/v1/device_service.js';
import { call } from '../harness/calls.js';
import type { Gateway, Opened } from '../harness/gateway.js';
import { duration } from '../harness/world.js';
import { renew } from './lively.js';
import type { Random } from './random.js';
import type { Truth } from './truth.js';

const ERROR_GEN_FAILURE = 31;
const fates = ['closed', 'closed', 'renewed', 'left', 'dropped', 'failed', 'cancelled', 'lapsed'] as const;

/** The device of a lane: each has its own, so that what is scripted for it meets its session. */
const deviceOf = (lane: number) => `06:00:00:00:00:${lane.toString(16).padStart(2, '0')}`;
/** The lane has a second device, all of whose opens are told never to end by themselves. */
const silentDeviceOf = (lane: number) => `0a:00:00:00:00:${lane.toString(16).padStart(2, '0')}`;
export const sessionOf = (lane: number, life: number) => `lane-${lane}-${life}`;

/** One life after another. */
export class Lane {
  readonly streams: Opened[] = [];
  readonly #gateway: Gateway;
  readonly #truth: Truth;
  readonly #random: Random;
  readonly #lane: number;

  constructor(gateway: Gateway, truth: Truth, random: Random, lane: number) {
    this.#gateway = gateway;
    this.#truth = truth;
    this.#random = random;
    this.#lane = lane;
  }

  async run(isOver: () => boolean): Promise<void> {
    const { world, devices } = this.#gateway;
    const addresses = [deviceOf(this.#lane), silentDeviceOf(this.#lane)];
    for (const address of addresses) await world.addDevice(address);
    // The host hears of them a little later.
    await this.#gateway.until(async () => {
      const request = ListDevicesRequest.fromPartial({ pageSize: 1000 });
      const paired = await call(devices.listDevices.bind(devices), request);
      const known = new Set(paired.devices.map(({ deviceAddress }) => deviceAddress));
      return addresses.every((address) => known.has(address));
    });
    for (let life = 0; !isOver(); life += 1) await this.#live(sessionOf(this.#lane, life));
  }

  async #live(sessionId: string): Promise<void> {
    const { world } = this.#gateway;
    const fate = this.#random.pick(fates);
    // An open that is cancelled at once may never begin, and leaves its script to the next one.
    const deviceAddress = fate === 'cancelled' ? silentDeviceOf(this.#lane) : deviceOf(this.#lane);
    if (fate === 'failed') await world.scriptOpen({ deviceAddress, error: ERROR_GEN_FAILURE });
    if (fate === 'cancelled') await world.scriptOpen({ deviceAddress, delayMs: 'never', cancelMs: 0 });
    const isLeased = fate === 'lapsed' || fate === 'renewed';
    const leaseTtl = fate === 'lapsed' ? duration(20) : duration(60_000);
    const stream = this.#gateway.open({ sessionId, deviceAddress, ...(isLeased && { leaseTtl }) });
    this.streams.push(stream);
    if (fate === 'cancelled') {
      await stream.event('OPENING');
      await (this.#random.isOneIn(2) ? this.#gateway.cancel(sessionId) : this.#gateway.close(sessionId));
    } else if (fate !== 'failed' && fate !== 'lapsed') {
      await stream.event('OPENED');
      if (fate === 'renewed')
        for (let times = this.#random.below(8); times >= 0; times -= 1) await renew(this.#gateway, sessionId);
      if (fate === 'left') stream.cancel();
      else if (fate === 'dropped') await world.dropLink(deviceAddress);
      else await this.#gateway.close(sessionId, { waitForDisconnect: this.#random.isOneIn(2) });
    }
    await this.#truth.ended(sessionId);
    await stream.ended;
  }
}
