/** Unary calls: `GetSession`, one and many in flight. */
import { type Bench, type Case, inTurns } from '../bench.js';
import { figure, type Measured } from '../figure.js';
import { GetSession } from '../load/get-session.js';

const IN_FLIGHT = [1, 100];

export const unary: Case = {
  name: 'unary',
  title: 'GetSession in a closed loop',
  async *figures(bench: Bench) {
    const { rounds, roundMs } = bench.extent;
    await using gateway = await bench.gateway();
    await using bare = await bench.bare();
    const subjects = { gateway: await GetSession.on(gateway), bare: await GetSession.on(bare) };
    for (const inFlight of IN_FLIGHT) {
      const results = await inTurns(subjects, rounds, (subject) => subject.measure(inFlight, roundMs));
      const show = (measured: Measured) =>
        figure(
          'unary',
          { ...measured, name: `${measured.name}, ${inFlight} in flight` },
          results.gateway,
          results.bare,
        );
      yield show({ name: 'calls', unit: '/s', key: 'perSecond', aim: { of: 'ratio', atLeast: 0.85 } });
      yield show({ name: 'latency p50', unit: 'ms', key: 'p50Ms', aim: { of: 'ratio', atMost: 1.3 } });
      yield show({ name: 'latency p99', unit: 'ms', key: 'p99Ms', aim: { of: 'ratio', atMost: 1.3 } });
      yield show({ name: 'processor time of a call', unit: 'µs', key: 'cpuUs' });
      // Far from 100 %, or the client was measured.
      yield show({ name: 'client busy', unit: '%', key: 'clientPercent' });
    }
  },
};
