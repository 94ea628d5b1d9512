import { createHash } from 'node:crypto';
import { CreateJobRequest, Encoding } from '@shoal/protocol';
import { beforeEach, expect, test } from 'vitest';
import { BundleStore } from '../bundles/bundle-store.ts';
import { type CheckedRequest, checkJobRequest, jobSpec } from './job-request.ts';

const limits = { windowItems: 1000, windowBytes: 5000, maxLabels: 64, maxResultBytes: 100 };
const content = Buffer.from('export const resize = 1;');
const sha256 = createHash('sha256').update(content).digest('hex');
const named = (value: string) => ({ function: { $case: 'named' as const, value } });
/** A message of which only some fields are given. */
type Sketch<T> = T extends Uint8Array
  ? T
  : T extends (infer U)[]
    ? Sketch<U>[]
    : T extends object
      ? { [K in keyof T]?: Sketch<T[K]> }
      : T;

let bundles: BundleStore;
beforeEach(async () => {
  bundles = await BundleStore.open({ maxBundleBytes: 1000, maxStoreBytes: 1000 });
  await bundles.put(sha256, content);
  await bundles.name('imaging', 3, sha256);
});

const check = (partial: Sketch<CreateJobRequest>): CheckedRequest =>
  checkJobRequest(
    CreateJobRequest.fromPartial({ task: named('imaging#resize'), ...partial } as CreateJobRequest),
    bundles,
    limits,
  );
const spec = (partial: Sketch<CreateJobRequest>) => jobSpec(check(partial), 'job-1', 10_000);

test('a named function is looked up once, here', () => {
  const found = {
    name: 'resize',
    function: { $case: 'moduleExport', value: { bundleSha256: sha256, export: 'resize' } },
  };
  expect(check({}).task).toEqual(found);
  expect(check({ task: named('imaging@3#resize') }).task).toEqual(found);
  expect(check({ task: named('imaging') }).task).toMatchObject({
    name: 'imaging',
    function: { value: { export: 'default' } },
  });
  expect(check({}).bundles).toEqual([sha256]);
});

test.each([
  ['a bundle that nobody named', { task: named('other#resize') }, 'BUNDLE_NOT_FOUND'],
  ['a version that nobody named', { task: named('imaging@4#resize') }, 'BUNDLE_NOT_FOUND'],
  ['no function', { task: { name: 'f' } }, 'REQUEST_INVALID'],
  [
    'an inline function without source',
    { task: { function: { $case: 'inlineSource' as const, value: '' } } },
    'REQUEST_INVALID',
  ],
  ['a priority out of range', { options: { priority: 101 } }, 'REQUEST_INVALID'],
])('%s is refused', (_, partial, code) => {
  expect(() => check(partial)).toThrow(expect.objectContaining({ code }));
});

test('a request that says nothing gets the defaults', () => {
  expect(check({}).options).toMatchObject({
    encoding: Encoding.JSON,
    windowItems: 1000,
    concurrentTasksPerChild: 1,
    maxResultBytes: 100,
  });
  expect(spec({})).toEqual({
    priority: 0,
    labels: {},
    encoding: 'json',
    chunkSize: 'auto',
    concurrentTasks: 1,
    group: { id: 'job-1', processes: Number.MAX_SAFE_INTEGER },
    retries: { thrown: 0, crash: 2, timeout: 0, lost: 10 },
    ordered: true,
    failFast: false,
    pure: false,
    marksStarts: false,
    windowItems: 1000,
    windowBytes: 5000,
  });
});

test('jobs are of one kind where the same client runs the same function', () => {
  const kindOf = (group: string | undefined, source: string): string | undefined =>
    spec({
      task: { function: { $case: 'inlineSource' as const, value: source } },
      ...(group === undefined ? {} : { options: { group: { id: group } } }),
    }).kind;
  expect(kindOf('a', 'x => x')).toBe(kindOf('a', 'x => x'));
  expect(new Set([kindOf('a', 'x => x'), kindOf('a', 'y => y'), kindOf('b', 'x => x')]).size).toBe(3);
  // Who names no group is nobody that could be met again.
  expect(kindOf(undefined, 'x => x')).toBeUndefined();
});

test('a window and results are at most what the coordinator allows', () => {
  expect(check({ options: { windowItems: 5000, maxResultBytes: 5000 } }).options).toMatchObject({
    windowItems: 1000,
    maxResultBytes: 100,
  });
});

test('a time limit, and an item that must not run twice, need exact starts', () => {
  expect(spec({ options: { timeoutMs: 5 } }).marksStarts).toBe(true);
  expect(spec({ options: { retries: { crash: 0 } } }).marksStarts).toBe(true);
  expect(spec({ options: { retries: { crash: 1 } } }).marksStarts).toBe(false);
});

test('a deadline counts from the creation', () => {
  expect(spec({ options: { deadlineMs: 500 } }).deadlineAtMs).toBe(10_500);
});

test('requests are equal when their content is, whoever sends them and under whatever id', () => {
  const { fingerprint } = check({ requestId: 'a' });
  expect(check({ requestId: 'b', client: { version: '9' } }).fingerprint).toBe(fingerprint);
  expect(check({ options: { chunkSize: 5 } }).fingerprint).not.toBe(fingerprint);
});
