import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkPeer, ownPeer, packageVersion, understands } from './version.ts';

const peer = (protocol: number, oldestProtocol: number): typeof ownPeer => ({
  version: '0.3.0',
  protocol,
  oldestProtocol,
});

test('the version is that of the package', () => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  expect(packageVersion).toBe(manifest.version);
});

test('two peers understand each other when their ranges of protocols meet', () => {
  expect(understands(peer(4, 4), peer(4, 4))).toBe(true);
  expect(understands(peer(5, 4), peer(4, 1))).toBe(true);
  expect(understands(peer(3, 1), peer(5, 4))).toBe(false);
  expect(understands(peer(5, 4), peer(3, 1))).toBe(false);
});

test('a peer that fits, or does not say, is let in', () => {
  expect(() => checkPeer(ownPeer, 'agent-2')).not.toThrow();
  expect(() => checkPeer(undefined, 'client')).not.toThrow();
});

test('a peer that is too old is refused, both versions are named, and it is to be upgraded', () => {
  expect(() => checkPeer(peer(0, 0), 'agent-2')).toThrow(
    'agent-2 0.3.0 (protocol 0, needs 1), coordinator 0.1.0 (protocol 1). Upgrade agent-2.',
  );
});

test('a peer that is too new says that this side is to be upgraded', () => {
  expect(() => checkPeer({ ...peer(7, 6), version: '2.0.0' }, 'agent-2')).toThrow(
    'agent-2 2.0.0 (protocol 7), coordinator 0.1.0 (protocol 1, needs 6). Upgrade coordinator.',
  );
});

test('the table lists the versions of others too, a few by name', () => {
  const agents = Array.from({ length: 7 }, (_, at) => ({ name: `agent-${at + 1}`, version: '0.2.0' }));
  expect(() => checkPeer(peer(0, 0), 'client', 'coordinator', () => agents)).toThrow(
    'client 0.3.0 (protocol 0, needs 1), coordinator 0.1.0 (protocol 1), agent-1 0.2.0, agent-2 0.2.0, ' +
      'agent-3 0.2.0, agent-4 0.2.0, agent-5 0.2.0, 2 more. Upgrade client.',
  );
});
