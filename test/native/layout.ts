/** What koffi believes of a struct, as C text that compiles only where C believes the same. */
import koffi from 'koffi';

/** A compile-time check that C has the same number as koffi. */
export function same(what: string, value: number | bigint): string {
  return `_Static_assert(${what} == ${value}, "koffi has ${value}");`;
}

/**
 * The checks of a struct's size and alignment, and of the place and size of each member that C has
 * by this name.
 */
export function layout(name: string, has: (member: string) => boolean = () => true): string[] {
  const { size, alignment, members = {} } = koffi.type(name);
  return [
    same(`sizeof(${name})`, size),
    same(`_Alignof(${name})`, alignment),
    ...Object.values(members)
      .filter((member) => has(member.name))
      .flatMap((member) => [
        same(`offsetof(${name}, ${member.name})`, member.offset),
        same(`sizeof(((${name} *)0)->${member.name})`, member.type.size),
      ]),
  ];
}
