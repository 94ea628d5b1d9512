/**
 * From what an agent says of a bundle to what the user knows: the files of a project, where they are here.
 *
 * A bundle calls its sources `shoal-bundle:/src/work.ts`, its modules believe to live in an imaginary folder, and an agent
 * keeps it under its hash. The first two are files of the project; the last one is the task's module, as well as that can
 * be said.
 */
import { fileURLToPath } from 'node:url';
import type { RemoteErrorData } from '@shoal/pool';
import { imaginaryFolder, sourceScheme } from './bundle-path.ts';

/** Where the files of a bundle are here. */
export interface BundleHome {
  readonly bundle: { readonly sha256: string };
  /** The task's module, as a path from `root`. */
  readonly module: string;
  /** The folder that paths in the bundle are relative to, as a URL with a slash at its end. */
  readonly root: string;
}

/** A text of an agent, in names of the caller. */
export function textAtHome(text: string, home: BundleHome | undefined): string {
  if (home === undefined) return text;
  const { bundle, module, root } = home;
  return text
    .replaceAll(sourceScheme, root)
    .replaceAll(`file://${imaginaryFolder}`, root)
    .replaceAll(imaginaryFolder, fileURLToPath(root))
    .replaceAll(new RegExp(`(?:file://)?[^\\s'"()]*/${bundle.sha256}\\.mjs`, 'g'), `${module} (bundled)`);
}

/** The facts of an error. Its module is the user's, whatever it is called elsewhere. */
export function factsAtHome<T>(
  facts: Readonly<Record<string, T>>,
  home: BundleHome | undefined,
): { [name: string]: T } {
  const { module } = facts;
  const told: { [name: string]: T } = {};
  for (const [name, fact] of Object.entries(facts)) {
    told[name] = typeof fact === 'string' ? (textAtHome(fact, home) as T) : fact;
  }
  if (home !== undefined && typeof module === 'string' && module.includes(home.bundle.sha256)) {
    told['module'] = home.module as T;
  }
  return told;
}

/** What the user's code threw. */
export function errorAtHome(data: RemoteErrorData, home: BundleHome | undefined): RemoteErrorData {
  const { cause, error, errors, message, stack, suppressed } = data;
  return {
    ...data,
    message: textAtHome(message, home),
    ...(stack === undefined ? {} : { stack: textAtHome(stack, home) }),
    ...(cause !== undefined && 'name' in cause ? { cause: errorAtHome(cause, home) } : {}),
    ...(errors === undefined ? {} : { errors: errors.map((inner) => errorAtHome(inner, home)) }),
    ...(error !== undefined && 'name' in error ? { error: errorAtHome(error, home) } : {}),
    ...(suppressed !== undefined && 'name' in suppressed
      ? { suppressed: errorAtHome(suppressed, home) }
      : {}),
  };
}
