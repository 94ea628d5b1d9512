import { ShoalError } from '@shoal/errors';
import { expect, test } from 'vitest';
import { clusterFindings } from './cluster.ts';

test('what keeps a client from connecting at all is a finding, and not the end of the report', async () => {
  const error = new ShoalError('FILE_NOT_USABLE', { path: 'token', reason: 'others can read this token' });
  expect(await clusterFindings('127.0.0.1:1', () => Promise.reject(error), Date.now())).toEqual({
    findings: [
      {
        what: 'coordinator 127.0.0.1:1',
        state: 'broken',
        says: expect.stringMatching(/^FILE_NOT_USABLE: token: others can read this token/),
      },
    ],
    error,
  });
});
