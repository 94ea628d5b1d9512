import { expect, test } from 'vitest';
import { findingsText } from './doctor/finding.ts';
import { aligned } from './text-table.ts';

test('a cell that another machine has sent tears no table and commands no terminal', () => {
  expect(
    aligned([
      ['AGENT', 'HOST'],
      ['a', 'host\u001b[2J\nname'],
    ]),
  ).toEqual(['AGENT  HOST', 'a      host\\u001b[2J name']);
});

test('nor does what a doctor finds', () => {
  const says = 'no such\u001b[31m\nfolder';
  expect(findingsText([{ what: 'tls\u0007', state: 'broken', says }])).toBe(
    'BROKEN   tls\\u0007  no such\\u001b[31m folder\n',
  );
});
