import { createHash } from 'node:crypto';
import type { TaskRef } from '@shoal/pool';

/** Where a function is found in a bundle. */
export type BundledTask =
  | { readonly kind: 'export'; readonly export: string }
  /** The n-th `task()` call of one of the bundle's modules; `origin` is the `import.meta.url` it has there. */
  | { readonly kind: 'registered'; readonly origin: string; readonly ordinal: number };

/** The user's code as it travels: one ES module, named by its hash. */
export interface Bundle {
  /** SHA-256 of `bytes`, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** A function of a module. (An inline function travels as its source text, without a bundle.) */
export type ModuleTask = Exclude<TaskRef, { readonly kind: 'inline' }>;

/** A job's functions with the bundle that holds them. */
export interface BundledJob {
  readonly bundle: Bundle;
  /** In the order in which they were given. */
  readonly tasks: readonly BundledTask[];
  /** The task's module, as a path from `root`. */
  readonly module: string;
  /** The folder that the paths of the bundle are relative to, as a URL with a slash at its end. */
  readonly root: string;
}

/** Names a bundle's bytes. */
export function bundleOf(text: string): Bundle {
  const bytes = new TextEncoder().encode(text);
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}
