import { expect, test, vi } from 'vitest';
import type { MapProgress } from '../options/options.ts';
import { task } from '../task/task.ts';
import { FakeBackend } from './fake-backend.testkit.ts';
import { surfaceOver } from './surface.ts';

const double = task(import.meta, (x: number) => x * 2);

test('a job tells its listeners where it stands and how it ended', async () => {
  const backend = new FakeBackend();
  const heard: string[] = [];
  const progress: MapProgress[] = [];
  const job = surfaceOver(backend)
    .submit(double, [1, 2])
    .on('progress', (now) => progress.push(now))
    .on('succeeded', (results) => heard.push(`succeeded ${results}`))
    .on('failed', () => heard.push('failed'));
  await vi.waitFor(() => backend.job);
  backend.job.gives(0, 2, 4);
  backend.job.ends();
  await job.wait();
  expect(heard).toEqual(['succeeded 2,4']);
  expect(progress.at(-1)).toEqual({ total: 2, done: 2, failed: 0, running: 0, retried: 0 });
});

test('a job that is cancelled tells of it once', async () => {
  const heard: unknown[] = [];
  const job = surfaceOver(new FakeBackend())
    .submit(double, [1])
    .on('failed', (error) => heard.push((error as Error).name));
  job.cancel();
  job.cancel();
  await job.wait();
  expect(heard).toEqual(['JobCancelledError']);
});

test('a listener that throws harms neither the job nor the other listeners', async () => {
  const backend = new FakeBackend();
  const warned = new Promise<string>((resolve) => process.once('warning', ({ message }) => resolve(message)));
  const heard: string[] = [];
  const job = surfaceOver(backend)
    .submit(double, [1])
    .on('succeeded', () => {
      throw new Error('careless');
    })
    .on('succeeded', () => heard.push('the other'));
  const never = (): void => void heard.push('taken off');
  job.on('succeeded', never).off('succeeded', never);
  await vi.waitFor(() => backend.job);
  backend.job.gives(0, 2);
  backend.job.ends();
  expect(await job.result()).toEqual([2]);
  expect(heard).toEqual(['the other']);
  expect(await warned).toMatch(/^A listener of 'succeeded' threw: Error: careless/);
});

test('an event that there is not, and a listener that is no function, are refused', () => {
  const job = surfaceOver(new FakeBackend()).submit(double, []);
  expect(() => job.on('done' as 'failed', () => {})).toThrow(
    new RangeError('A job has no event "done". There are: progress, succeeded, failed.'),
  );
  expect(() => job.on('failed', 'x' as never)).toThrow(TypeError);
});
