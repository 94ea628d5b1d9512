import { JobState } from '@shoal/protocol';
import { describe, expect, test } from 'vitest';
import { Project } from './bundle/bundle.testkit.ts';
import { eachWithCoordinator, rejection } from './client-case.testkit.ts';
import { connect } from './connect.ts';
import type { FakeCoordinator } from './fake-coordinator.testkit.ts';

let coordinator: FakeCoordinator;
eachWithCoordinator((fresh) => {
  coordinator = fresh;
});

describe('code', () => {
  test('that does not load on an agent is named as its user knows it', async () => {
    await using project = await Project.of({ 'src/work.ts': 'export const run = (n: number): number => n;' });
    coordinator.ending = () => {
      const [sha256 = ''] = coordinator.bundles.keys();
      const facts = { module: `/var/agent/${sha256}.mjs`, reason: 'no', hint: '' };
      const error = { code: 'TASK_LOAD_FAILED', facts, message: '', error: new Uint8Array() };
      return { state: JobState.UNRUNNABLE, succeeded: 0, failed: 0, error };
    };
    await using pool = await connect(coordinator.address);
    const error = await rejection(pool.map(project.url('src/work.ts'), [1], { export: 'run' }));
    expect(error.message).toBe('src/work.ts cannot be loaded: no.');
  });

  test('is sent once for many jobs, and again when the coordinator has lost it', async () => {
    await using project = await Project.of({ 'work.ts': 'export const run = (n: number): number => n + 1;' });
    const url = project.url('work.ts');
    const puts = (): number => coordinator.calls.filter((call) => call === 'putBundle').length;
    await using pool = await connect(coordinator.address);
    for (let n = 0; n < 3; n++) await pool.map(url, [1], { export: 'run' });
    expect(puts()).toBe(1);
    coordinator.bundles.clear();
    expect(await pool.map(url, [1], { export: 'run' })).toEqual([2]);
    expect(puts()).toBe(2);
  });

  test('that a coordinator has from another client is not sent at all', async () => {
    await using project = await Project.of({ 'work.ts': 'export const run = (n: number): number => n + 1;' });
    for (let n = 0; n < 2; n++) {
      await using pool = await connect(coordinator.address);
      await pool.map(project.url('work.ts'), [1], { export: 'run' });
    }
    expect(coordinator.calls.filter((call) => call === 'putBundle')).toHaveLength(1);
  });

  test('that cannot be bundled rejects before a job is created', async () => {
    await using project = await Project.of({ 'work.ts': 'export const run = (' });
    await using pool = await connect(coordinator.address);
    const error = await rejection(pool.map(project.url('work.ts'), [1], { export: 'run' }));
    expect(error).toMatchObject({ code: 'TASK_BUNDLE_FAILED' });
    expect(coordinator.jobs).toEqual([]);
  });
});
