import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { type Service, untilEnded } from './service.ts';

const signal = (name: 'SIGHUP' | 'SIGINT'): boolean => process.emit(name, name);

const terminal = { stdout: new PassThrough(), stderr: new PassThrough() };

function service() {
  const drains: boolean[] = [];
  const gone = Promise.withResolvers<void>();
  const close = ({ drain }: { readonly drain: boolean }): Promise<void> => {
    drains.push(drain);
    return gone.promise;
  };
  return { drains, gone: gone.resolve, service: { close } satisfies Service };
}

test('the first signal drains a service, the second ends it now', async () => {
  const { service: it, drains, gone } = service();
  const code = untilEnded(it, terminal);
  signal('SIGHUP');
  signal('SIGHUP');
  await vi.waitFor(() => expect(drains).toEqual([true, false]));
  gone();
  expect(await code).toBe(0);
});

test('a signal that comes while the service starts drains it as soon as it is there', async () => {
  const { service: it, drains, gone } = service();
  const started = Promise.withResolvers<Service>();
  const code = untilEnded(started.promise, terminal);
  signal('SIGINT');
  expect(drains).toEqual([]);
  started.resolve(it);
  await vi.waitFor(() => expect(drains).toEqual([true]));
  gone();
  expect(await code).toBe(130);
});

test('a service that does not start is told as it is, and signals are nobody’s again', async () => {
  const before = process.listenerCount('SIGHUP');
  await expect(untilEnded(Promise.reject(new Error('the port is taken')), terminal)).rejects.toThrow(
    'the port is taken',
  );
  expect(process.listenerCount('SIGHUP')).toBe(before);
});

test('a service that ends by itself gives its exit code', async () => {
  const { service: it } = service();
  expect(await untilEnded({ ...it, ended: Promise.resolve(4) }, terminal)).toBe(4);
});
