import { closeSync } from 'node:fs';

/** Closes what whoever started this process had open and could put nothing in the place of, before the user's code runs. */
export function closeLeftFiles(): void {
  const left = process.env['SHOAL_OWN_CLOSE'];
  if (left === undefined) return;
  delete process.env['SHOAL_OWN_CLOSE'];
  for (const fd of left.split(',')) {
    try {
      closeSync(Number(fd));
    } catch {
      // It is closed already.
    }
  }
}
