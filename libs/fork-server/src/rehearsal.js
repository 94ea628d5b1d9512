/**
 * Loaded and called in a fork server, so that its children find the way to a module well trodden, and what OpenSSL looks up at
 * the first digest of each kind: a child that makes one would look for a third of a millisecond.
 */
import { createHash, hash } from 'node:crypto';

const kinds = ['md5', 'sha1', 'sha256', 'sha512'];

export default (item) => {
  for (const kind of kinds) {
    try {
      createHash(kind).update(hash(kind, 'rehearsal')).digest();
    } catch {
      // One that OpenSSL was told to do without (FIPS).
    }
  }
  return item;
};
