import type { CatalogueError, TaskRef } from '@shoal/protocol';

/**
 * What an agent said of a bundle, in the name by which the caller knows it. An agent keeps a bundle in a folder of its own under
 * its hash; that path is of no use to anybody elsewhere.
 */
export function inNameOfBundle(
  error: CatalogueError,
  task: TaskRef | undefined,
  name: string,
): CatalogueError {
  const source = task?.function;
  if (source?.$case !== 'moduleExport') return error;
  const kept = new RegExp(`(?:file://)?[^\\s'"()]*/${source.value.bundleSha256}\\.mjs`, 'g');
  const told = (text: string): string => text.replaceAll(kept, () => name);
  const facts = Object.entries(error.facts).map(([fact, text]) => [fact, told(text)] as const);
  return { ...error, facts: Object.fromEntries(facts), message: told(error.message) };
}
