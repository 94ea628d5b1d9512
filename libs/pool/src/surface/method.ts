import type { MethodKind } from '../options/option-table.ts';

/** What differs between the methods of a pool that run something. */
export interface Method {
  readonly name: 'map' | 'starmap' | 'apply' | 'mapSettled' | 'imap' | 'imapUnordered' | 'submit';
  /** Which options it takes. */
  readonly kind: MethodKind;
  /** Each item is an array of arguments. */
  readonly spread: boolean;
  /** Results are delivered in the order of the items (those that collect put them in order themselves). */
  readonly ordered: boolean;
}

export const methods: { readonly [Name in Method['name']]: Method } = {
  map: { name: 'map', kind: 'map', spread: false, ordered: false },
  starmap: { name: 'starmap', kind: 'map', spread: true, ordered: false },
  apply: { name: 'apply', kind: 'map', spread: true, ordered: false },
  mapSettled: { name: 'mapSettled', kind: 'map', spread: false, ordered: false },
  imap: { name: 'imap', kind: 'stream', spread: false, ordered: true },
  imapUnordered: { name: 'imapUnordered', kind: 'stream', spread: false, ordered: false },
  submit: { name: 'submit', kind: 'submit', spread: false, ordered: false },
};
