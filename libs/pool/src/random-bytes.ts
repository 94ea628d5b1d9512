import { closeSync, openSync, readSync } from 'node:fs';
import { crypto } from './crypto.ts';

/**
 * Bytes that nobody can guess. From the kernel's own generator where it is a file, for `node:crypto`, which asks the same
 * one, takes longer to load than the first process takes to be started.
 */
export function randomBytes(count: number, file: string = '/dev/urandom'): Uint8Array {
  const bytes = new Uint8Array(count);
  try {
    const descriptor = openSync(file, 'r');
    try {
      if (readSync(descriptor, bytes) === count) return bytes;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // Windows, a container without devices, or a process that may not read files.
  }
  return crypto().randomBytes(count);
}
