import test from 'ava';
import { readCommandLine } from '../../service/commands/command-line.js';
import { addRule, deleteRule, exposedPorts, firewallNote, netshLine } from '../../service/commands/firewall.js';
import { makeConfig } from '../../service/config/schema.js';
import { folder, write } from '../config/loading.js';

const subject = { rule: 'Wi-Fi Direct Gateway (wfdd)', program: 'C:\\Program Files\\wfdd\\node.exe', service: 'wfdd' };

test('only addresses that other machines can reach need a rule', (t) => {
  const ports = (...listen: string[]) => exposedPorts(makeConfig({ listen }));
  t.deepEqual(ports('127.0.0.1:1', '[::1]:2', 'localhost:3', 'pipe:wfdd'), []);
  t.deepEqual(ports('0.0.0.0:50051', '[::]:50051', '192.168.1.2:443'), [443, 50051]);
  t.is(firewallNote(makeConfig({ listen: ['127.0.0.1:1'] }), subject), undefined);
});

test('one line lets others in to this program and service, another takes it back', (t) => {
  t.is(
    netshLine(addRule([443, 50051], subject)),
    'netsh advfirewall firewall add rule name="Wi-Fi Direct Gateway (wfdd)" dir=in action=allow protocol=TCP ' +
      'localport=443,50051 program="C:\\Program Files\\wfdd\\node.exe" service=wfdd',
  );
  t.is(
    netshLine(deleteRule(subject.rule)),
    'netsh advfirewall firewall delete rule name="Wi-Fi Direct Gateway (wfdd)"',
  );
  t.true(addRule([0, 1], subject).includes('localport=any'), 'any free port');
});

test('config check says it on Windows, where another address than loopback is served', async (t) => {
  const check = async (platform: NodeJS.Platform, listen: string) => {
    const environment = {
      UV_THREADPOOL_SIZE: '16',
      WFDD_CONFIG: write(`listen: ["${listen}"]\ninsecureNonLoopback: true`),
    };
    const surroundings = { environment, platform, folder, version: '1', examineFiles: async () => [] };
    const plan = await readCommandLine(['config', 'check'], surroundings);
    return plan.kind === 'answer' ? plan.text : '';
  };
  t.regex(await check('win32', '0.0.0.0:50051'), /netsh advfirewall firewall add rule .*localport=50051/);
  t.regex(await check('win32', '0.0.0.0:50051'), /netsh advfirewall firewall delete rule/);
  t.notRegex(await check('win32', '127.0.0.1:50051'), /netsh/);
  t.notRegex(await check('linux', '0.0.0.0:50051'), /netsh/);
});
