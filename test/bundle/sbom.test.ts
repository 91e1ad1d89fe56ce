import test from 'ava';
import { mergeSboms } from '../../service/bundle/sbom.js';

const document = (root: string, ...needs: string[]): string =>
  JSON.stringify({
    serialNumber: 'urn:uuid:00000000-0000-4000-8000-000000000000',
    metadata: {
      timestamp: '2026-01-01T00:00:00.000Z',
      tools: [{ name: 'cli', version: '11' }],
      component: { 'bom-ref': root, externalReferences: [] },
    },
    components: needs.map((ref) => ({
      'bom-ref': ref,
      externalReferences: [
        { type: 'distribution', url: 'of this machine' },
        { type: 'vcs', url: 'of the project' },
      ],
    })),
    dependencies: [{ ref: root, dependsOn: needs }, ...needs.map((ref) => ({ ref, dependsOn: [] }))],
  });

const merged = JSON.parse(
  mergeSboms(
    [document('app@1', 'b@2', 'a@1', 'elsewhere@1'), document('runtime@1', 'node@24')],
    { name: 'wfdd', version: '1' },
    (ref) => ref !== 'elsewhere@1',
  ),
);

test('the product needs what each of the documents describes and is inside', (t) => {
  t.is(merged.metadata.component['bom-ref'], 'wfdd@1');
  t.deepEqual(
    merged.dependencies.find((entry: { ref: string }) => entry.ref === 'wfdd@1'),
    { ref: 'wfdd@1', dependsOn: ['a@1', 'b@2', 'node@24'] },
  );
  t.deepEqual(
    merged.components.map((component: { 'bom-ref': string }) => component['bom-ref']),
    ['a@1', 'b@2', 'node@24'],
  );
});

test('nothing of the run or the machine is left', (t) => {
  t.false('serialNumber' in merged);
  t.deepEqual(Object.keys(merged.metadata), ['component']);
  t.deepEqual(merged.components[0].externalReferences, [{ type: 'vcs', url: 'of the project' }]);
});
