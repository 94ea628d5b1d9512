import { AgentStats } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { triedLimit } from '../../../../test/limit-edges.ts';
import { boundedStats } from './agent-stats.ts';

const sizeOf = (stats: AgentStats): number => AgentStats.encode(stats).finish().byteLength;
const processes = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ pid: 1_000 + at, groupId: 'g' }));
const honest = AgentStats.fromPartial({
  processes: processes(100),
  recycled: 7,
  deaths: 1,
  groupLosses: [{ groupId: 'g', recycled: 7, deaths: 1 }],
  troubles: ['its disk is full'],
  starts: { spawned: 107, forked: 0, notForked: 'no compiler' },
});

test.each([1, 0, -1])('what an agent says is kept whole up to the limit, with %i bytes to spare', (spare) => {
  const most = sizeOf(honest) + spare;
  triedLimit('reportBytes', sizeOf(honest), most);
  const kept = boundedStats(honest, most);
  if (spare < 0) expect(kept).not.toEqual(honest);
  else expect(kept).toBe(honest);
});

test('of what is too much its lists are cut, and its sums and troubles stay', () => {
  const loud = AgentStats.fromPartial({ ...honest, processes: processes(100_000) });
  const kept = boundedStats(loud, 10_000);
  expect(sizeOf(kept)).toBeLessThanOrEqual(10_000);
  expect(kept.processes.length).toBeGreaterThan(500);
  expect(kept.processes).toEqual(loud.processes.slice(0, kept.processes.length));
  expect(kept).toMatchObject({ recycled: 7, deaths: 1, troubles: honest.troubles, starts: honest.starts });
});

test('troubles and reasons without an end are cut, too', () => {
  const kept = boundedStats(
    AgentStats.fromPartial({
      troubles: Array.from({ length: 1_000 }, () => 'x'.repeat(10_000)),
      starts: { spawned: 1, forked: 0, notForked: 'y'.repeat(1_000_000) },
      groupLosses: Array.from({ length: 100_000 }, () => ({ groupId: 'z'.repeat(100) })),
    }),
    20_000,
  );
  expect(kept.troubles).toEqual(Array.from({ length: 16 }, () => 'x'.repeat(500)));
  expect(kept.starts?.notForked).toBe('y'.repeat(500));
  expect(sizeOf(kept)).toBeLessThanOrEqual(20_000);
});
