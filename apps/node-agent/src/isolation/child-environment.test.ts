import { expect, test } from 'vitest';
import { childEnvironment } from './child-environment.ts';

test('a child sees where programs lie, not what the operator keeps secret', () => {
  const own = { PATH: '/bin', HOME: '/home/a', LC_ALL: 'C', TZ: 'UTC', AWS_SECRET: 'x', SHOAL_TOKEN: 'y' };
  expect(childEnvironment(own, { env: {}, onlyEnv: false })).toEqual({
    PATH: '/bin',
    HOME: '/home/a',
    LC_ALL: 'C',
    TZ: 'UTC',
  });
});

test('what the job says wins', () => {
  const asked = { env: { TZ: 'Asia/Tokyo', MODE: 'fast' }, onlyEnv: false };
  expect(childEnvironment({ PATH: '/bin', TZ: 'UTC' }, asked)).toEqual({
    PATH: '/bin',
    TZ: 'Asia/Tokyo',
    MODE: 'fast',
  });
});

test('a job that wants only its own environment gets nothing of the agent', () => {
  expect(childEnvironment({ PATH: '/bin', HOME: '/home/a' }, { env: {}, onlyEnv: true })).toEqual({});
  const asked = { env: { MODE: 'fast' }, onlyEnv: true };
  expect(childEnvironment({ PATH: '/bin', HOME: '/home/a' }, asked)).toEqual({ MODE: 'fast' });
});

test("the agent's own settings reach no child; a variable of such a name that a job brings is the job's", () => {
  const own = { SHOAL_TOKEN: 'y', SHOAL_ADDRESS: 'here' };
  const asked = { env: { SHOAL_TOKEN: 'z' }, onlyEnv: false };
  expect(childEnvironment(own, asked)).toEqual({ SHOAL_TOKEN: 'z' });
});
