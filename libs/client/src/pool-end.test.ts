import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { JobState } from '@shoal/protocol';
import { describe, expect, test } from 'vitest';
import { Project } from './bundle/bundle.testkit.ts';
import { eachWithCoordinator, numbers, plusOne, rejection } from './client-case.testkit.ts';
import { connect } from './connect.ts';
import { type FakeCoordinator, until } from './fake-coordinator.testkit.ts';

let coordinator: FakeCoordinator;
eachWithCoordinator((fresh) => {
  coordinator = fresh;
});

describe('the end of a pool', () => {
  test('terminate() rejects what is pending within a second, even without a coordinator', async () => {
    const pool = await connect(coordinator.address);
    coordinator.ending = () => ({ state: JobState.UNSPECIFIED, succeeded: 0, failed: 0 });
    let reached = false;
    coordinator.onBlock = () => {
      reached = true;
      coordinator.wire.cut({ refuse: true });
    };
    const pending = rejection(pool.map(plusOne, numbers(10)));
    await until('the job runs', () => reached);
    const startedAt = performance.now();
    await pool.terminate();
    expect(await pending).toMatchObject({ code: 'POOL_TERMINATED' });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  test('close() and join() wait for what runs, then close the socket', async () => {
    await using project = await Project.of({ 'work.ts': 'export const run = (n: number): number => n + 1;' });
    const pool = await connect(coordinator.address);
    const results = pool.map(project.url('work.ts'), numbers(100), { export: 'run' });
    pool.close();
    await pool.join();
    expect(await results).toHaveLength(100);
    await until('the socket is closed', () => coordinator.wire.connections === 0);
  });

  test('an idle connection does not keep its process from exiting', async () => {
    await using project = await Project.of({});
    const main = join(project.folder, 'main.ts');
    const client = fileURLToPath(new URL('./index.ts', import.meta.url));
    await writeFile(
      main,
      `import { connect } from ${JSON.stringify(client)};
       const pool = await connect('${coordinator.address}');
       console.log(JSON.stringify(await pool.map((n: number) => n, [41])));`,
    );
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@shoal/source', main], {
      timeout: 60_000,
    });
    expect(JSON.parse(stdout)).toEqual([42]);
  });
});
