import test from 'ava';
import { Denials } from '../../service/access/denials.js';
import { createLog } from '../../service/telemetry/log.js';
import { KeptLog } from '../harness/kept-log.js';

test('every denial is counted, and those that would fill the disk are not logged', async (t) => {
  const kept = new KeptLog();
  const log = await createLog({ level: 'info', format: 'json', addresses: false }, kept);
  const counted: string[] = [];
  const observer = {
    onDenied: (rpc: string, code: string) => counted.push(`${rpc} ${code}`),
    onConnectionRefused: () => counted.push('connection'),
    onReloadFailed: () => {},
  };
  const denials = new Denials(log, observer);
  const denial = { why: 'The call has no credential.', principal: undefined, client: '192.0.2.1:5' };
  for (let i = 0; i < 500; i += 1) denials.call('a.B/C', 'UNAUTHENTICATED', denial);
  denials.connection('192.0.2.1:6', 'CERT_HAS_EXPIRED');
  t.is(counted.length, 501);
  t.deepEqual(new Set(counted), new Set(['a.B/C UNAUTHENTICATED', 'connection']));
  t.true(kept.all.length >= 20 && kept.all.length <= 41, `${kept.all.length} lines`);
  t.like(kept.all[0], {
    level: 'warn',
    event: 'access-denied',
    msg: 'a.B/C was refused: The call has no credential.',
    rpc: 'a.B/C',
    code: 'UNAUTHENTICATED',
    client: '192.0.2.1:5',
  });
});

test('those whom nobody knows hide in the log neither who is known nor what TLS refuses', async (t) => {
  const kept = new KeptLog();
  const log = await createLog({ level: 'info', format: 'json', addresses: false }, kept);
  const denials = new Denials(log, { onDenied: () => {}, onConnectionRefused: () => {}, onReloadFailed: () => {} });
  const denial = { why: 'No.', principal: undefined, client: '192.0.2.1:5' };
  for (let i = 0; i < 500; i += 1) denials.call('a.B/C', 'UNAUTHENTICATED', denial);
  denials.call('a.B/C', 'PERMISSION_DENIED', { ...denial, principal: 'fleet' });
  denials.connection('192.0.2.1:6', 'CERT_HAS_EXPIRED');
  t.true(kept.all.some(({ code }) => code === 'PERMISSION_DENIED'));
  t.is(kept.lines('connection-refused').length, 1);
});
