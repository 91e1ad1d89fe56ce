/** The audit: what a line says, and who can crowd out whom. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { OpenSessionRequest } from '../../proto/gen/wifidirect/v1/session_service.js';
import { Audit, type AuditRecord } from '../../service/access/audit.js';
import { Denials } from '../../service/access/denials.js';
import { createLog } from '../../service/telemetry/log.js';
import { failure } from '../harness/calls.js';
import type { LogLine } from '../harness/daemon.js';
import { display, gatewayForThisFile } from '../harness/gateway.js';
import { KeptLog } from '../harness/kept-log.js';

const auditFolder = mkdtempSync(join(tmpdir(), 'wfdd-audit-'));
const gateway = gatewayForThisFile('--set', `log.auditFolder=${auditFolder}`);
test.after.always(() => rmSync(auditFolder, { recursive: true }));

const record: AuditRecord = {
  principal: 'agent',
  rpc: 'wifidirect.v1.SessionService/CloseSession',
  sessionId: 'scanner-1',
  deviceAddress: undefined,
  requestId: '2c0c41de-7e0b-4c55-9b1e-02004c4f4f50',
  code: 'OK',
  client: '192.0.2.1:5',
  traceId: undefined,
};

async function auditOf(): Promise<{ audit: Audit; kept: KeptLog }> {
  const kept = new KeptLog();
  return { audit: new Audit(await createLog({ level: 'info', format: 'json', addresses: true }, kept)), kept };
}

test('what was sent as an id is in a line only in the form of one', async (t) => {
  const { audit, kept } = await auditOf();
  audit.keep({ ...record, deviceAddress: '02:11:22:33:44:01' });
  audit.keep({ ...record, sessionId: 'x'.repeat(1_000_000), deviceAddress: 'a\nb', requestId: '<script>' });
  const { sessionId, requestId } = record;
  t.like(kept.all[0], { sessionId, requestId, deviceAddress: '02:11:22:33:44:01', code: 'OK' });
  t.like(kept.all[1], { sessionId: '[invalid]', requestId: '[invalid]', deviceAddress: '[invalid]' });
  t.true(JSON.stringify(kept.all[1]).length < 500);
});

for (const code of ['FAILED_PRECONDITION', 'CANCELLED', 'ABORTED', 'DEADLINE_EXCEEDED', 'INTERNAL', 'NOT_FOUND']) {
  test(`refusals are limited: ${code}`, async (t) => {
    const { audit, kept } = await auditOf();
    for (let n = 0; n < 1000; n += 1) audit.keep({ ...record, code });
    t.true(kept.all.length >= 20 && kept.all.length <= 60, `${kept.all.length} lines`);
  });
}

test('who errs in a loop hides nobody else, and no change that was made', async (t) => {
  const { audit, kept } = await auditOf();
  for (let n = 0; n < 1000; n += 1) audit.keep({ ...record, principal: 'noise', code: 'NOT_FOUND' });
  audit.keep({ ...record, principal: 'quiet', code: 'NOT_FOUND' });
  for (let n = 0; n < 100; n += 1) audit.keep({ ...record, principal: 'noise' });
  const of = (name: string, code: string) =>
    kept.all.filter((line) => line['principal'] === name && line['code'] === code);
  t.is(of('quiet', 'NOT_FOUND').length, 1);
  t.is(of('noise', 'OK').length, 100);
});

test('renewals without end are no lines without end, and hide no refusal', async (t) => {
  const { audit, kept } = await auditOf();
  const rpc = 'wifidirect.v1.SessionService/RenewSession';
  for (let n = 0; n < 1000; n += 1) audit.keep({ ...record, rpc });
  t.true(kept.all.length >= 20 && kept.all.length <= 60, `${kept.all.length} lines`);
  audit.keep({ ...record, rpc, code: 'NOT_FOUND' });
  t.is(kept.all.at(-1)?.['code'], 'NOT_FOUND');
});

test('the memory of a thousand others does not hide that lines were left out', async (t) => {
  const { audit, kept } = await auditOf();
  for (let n = 0; n < 500; n += 1) audit.keep({ ...record, principal: `p-${n}`, code: 'NOT_FOUND' });
  t.is(kept.all.length, 500);
});

test('forbidden calls of one principal hide nobody else’s, and addresses of strangers not one another’s', async (t) => {
  const kept = new KeptLog();
  const log = await createLog({ level: 'info', format: 'json', addresses: false }, kept);
  const denials = new Denials(log, { onDenied: () => {}, onConnectionRefused: () => {}, onReloadFailed: () => {} });
  const denial = (principal: string | undefined, client: string) => ({ why: 'No.', principal, client });
  for (let n = 0; n < 500; n += 1) denials.call('a.B/C', 'PERMISSION_DENIED', denial('noise', '192.0.2.1:5'));
  denials.call('a.B/C', 'PERMISSION_DENIED', denial('quiet', '192.0.2.1:5'));
  for (let n = 0; n < 500; n += 1) denials.call('a.B/C', 'UNAUTHENTICATED', denial(undefined, `192.0.2.1:${n}`));
  denials.call('a.B/C', 'UNAUTHENTICATED', denial(undefined, '192.0.2.2:5'));
  t.is(kept.all.filter((line) => line['principal'] === 'quiet').length, 1);
  t.is(kept.all.filter((line) => line['client'] === '192.0.2.2:5').length, 1);
  // However many addresses there are.
  for (let n = 0; n < 5000; n += 1) denials.call('a.B/C', 'UNAUTHENTICATED', denial(undefined, `[2001:db8::${n}]:5`));
  t.true(kept.all.length < 500, `${kept.all.length} lines`);
});

test.serial('with a folder of its own the audit is there and nowhere else, and whole', async (t) => {
  const { id, stream } = await gateway().openSession({ deviceAddress: display, sessionId: 'audited' });
  await gateway().close(id, { waitForDisconnect: true });
  await stream.ended;
  await failure(gateway().close('x'.repeat(100_000)));
  const wrong = gateway().open(OpenSessionRequest.fromPartial({ deviceAddress: 'y'.repeat(100_000) }));
  await wrong.status();
  let lines: LogLine[] = [];
  await gateway().until(async () => {
    t.deepEqual(readdirSync(auditFolder), ['audit.1.log']);
    const text = readFileSync(join(auditFolder, 'audit.1.log'), 'utf8');
    const all = text.trimEnd().split('\n');
    lines = all
      .map((line) => JSON.parse(line) as LogLine)
      .filter((line) => String(line['rpc']).startsWith('wifidirect.v1.'));
    return lines.length >= 4;
  });
  t.deepEqual(
    lines.map((line) => [line['rpc'], line['sessionId'], line['deviceAddress'], line['code']]),
    [
      ['wifidirect.v1.SessionService/OpenSession', 'audited', display, 'OK'],
      ['wifidirect.v1.SessionService/CloseSession', 'audited', undefined, 'OK'],
      ['wifidirect.v1.SessionService/CloseSession', '[invalid]', undefined, 'INVALID_ARGUMENT'],
      ['wifidirect.v1.SessionService/OpenSession', undefined, '[invalid]', 'INVALID_ARGUMENT'],
    ],
  );
  t.deepEqual(
    gateway().daemon.log.filter(({ event }) => event === 'audit'),
    [],
  );
});
