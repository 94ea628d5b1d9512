import { expect, test } from 'vitest';
import { axes } from './axis.ts';

const means = { place: 'cluster', processes: 3, small: false } as const;

test('everything but what grows is the same at each point: as many processes as asked for, and as much before', () => {
  for (const { name, at, point } of axes) {
    const points = at.map((each) => point(each, means));
    const before = points.map(({ agents, warmUp: { items, jobs } }) => (items * jobs) / agents);
    expect({ name, before: new Set(before).size }).toEqual({ name, before: 1 });
    if (name === 'agents') expect(points.map(({ agents }) => agents)).toEqual(at);
    else expect(new Set(points.map(({ agents }) => agents))).toEqual(new Set([3]));
  }
});
