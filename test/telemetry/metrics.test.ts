/** `/metrics`, as Prometheus scrapes it from a daemon at work. */
import test from 'ava';
import { display, gatewayForThisFile, robot } from '../harness/gateway.js';

const gateway = gatewayForThisFile('--set', 'metrics.listen=127.0.0.1:0');

async function scrape(): Promise<Map<string, number>> {
  const line = await gateway().daemon.line('metrics-serving');
  const { port } = line['address'] as { port: number };
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const samples = (await response.text()).split('\n').filter((text) => text !== '' && !text.startsWith('#'));
  return new Map(
    samples.map((text) => [text.slice(0, text.lastIndexOf(' ')), Number(text.slice(text.lastIndexOf(' ')))]),
  );
}

test.serial('RPCs, sessions, native calls and their outcomes are counted', async (t) => {
  const { id, stream } = await gateway().openSession({ deviceAddress: display });
  t.is((await scrape()).get('wfdd_sessions{state="OPEN"}'), 1);
  await gateway().close(id, { waitForDisconnect: true });
  await stream.ended;
  await gateway().open({ deviceAddress: robot }).status();
  const metrics = await scrape();
  t.is(metrics.get('wfdd_rpcs_total{method="wifidirect.v1.SessionService/CloseSession",code="OK"}'), 1);
  t.is(metrics.get('wfdd_rpcs_total{method="wifidirect.v1.SessionService/OpenSession",code="ABORTED"}'), 1);
  t.is(metrics.get('wfdd_native_calls_total{function="WFDCloseSession",code="0"}'), 1);
  const closed = 'wfdd_sessions_ended_total{state="CLOSED",reason="REQUESTED",evidence="DEVICE_DISCONNECTED"}';
  t.is(metrics.get(closed), 1);
  t.is(metrics.get('wfdd_sessions_ended_total{state="FAILED",reason="OPEN_FAILED",evidence="NONE"}'), 1);
  t.is(metrics.get('wfdd_serving'), 1);
  t.true((metrics.get('wfdd_process_resident_memory_bytes') ?? 0) > 0);
  t.true(metrics.has('wfdd_nodejs_eventloop_lag_seconds'));
});

test.serial('nothing else is served there', async (t) => {
  const line = await gateway().daemon.line('metrics-serving');
  const { port } = line['address'] as { port: number };
  const response = await fetch(`http://127.0.0.1:${port}/`);
  t.is(response.status, 404);
});
