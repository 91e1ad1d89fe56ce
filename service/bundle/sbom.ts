/**
 * The bill of materials of the bundle: the output of `npm sbom`, without packages that are not in
 * the bundle and without what differs from run to run.
 */

interface Component {
  readonly 'bom-ref': string;
  readonly externalReferences: readonly { readonly type: string }[];
}

interface Dependency {
  readonly ref: string;
  readonly dependsOn?: readonly string[];
}

/** The part of CycloneDX 1.5 that this file uses. */
interface Bom {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly Dependency[];
}

/**
 * Merges several CycloneDX 1.5 documents of `npm sbom`. The first describes the product; the
 * products of the others become its dependencies. Only components that are in the bundle are
 * listed. There is no serial number, time or tool version, so the same packages give the same
 * bytes.
 */
export function mergeSboms(
  documents: readonly string[],
  product: { name: string; version: string },
  isInside: (ref: string) => boolean,
): string {
  const boms = documents.map((text): Bom => JSON.parse(text));
  const [first] = boms;
  if (first === undefined) throw new Error('no bill of materials to merge');
  const roots = new Set(boms.map((bom) => bom.metadata.component['bom-ref']));
  const ref = `${product.name}@${product.version}`;
  const needed = boms.flatMap((bom) => bom.dependencies.filter((entry) => roots.has(entry.ref)));
  const rest = boms.flatMap((bom) => bom.dependencies.filter(({ ref }) => !roots.has(ref) && isInside(ref)));
  const needs = ({ dependsOn }: Dependency): string[] => (dependsOn ?? []).filter(isInside).sort();
  const components = boms.flatMap((bom) => bom.components).filter((component) => isInside(component['bom-ref']));

  return `${JSON.stringify(
    {
      $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
      bomFormat: 'CycloneDX',
      specVersion: '1.5',
      version: 1,
      metadata: { component: { ...first.metadata.component, ...product, type: 'application', 'bom-ref': ref } },
      components: byKey(components.map(withoutOrigin), (component) => component['bom-ref']),
      dependencies: byKey(
        [
          { ref, dependsOn: needed.flatMap(needs).sort() },
          ...rest.map((entry) => ({ ...entry, dependsOn: needs(entry) })),
        ],
        (entry) => entry.ref,
      ),
    },
    null,
    2,
  )}\n`;
}

/** Removes the URL that npm fetched a package from, which depends on the machine. */
function withoutOrigin(component: Component): Component {
  const references = component.externalReferences.filter((reference) => reference.type !== 'distribution');
  return { ...component, externalReferences: references };
}

function byKey<T>(values: readonly T[], key: (value: T) => string): T[] {
  return [...values].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
