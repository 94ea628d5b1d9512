import { expect, test } from 'vitest';
import { childEnvironment } from './child-environment.ts';

test('a child sees where programs lie, not what the operator keeps secret', () => {
  const own = { PATH: '/bin', HOME: '/home/a', LC_ALL: 'C', TZ: 'UTC', AWS_SECRET: 'x', SHOAL_TOKEN: 'y' };
  expect(childEnvironment(own, {})).toEqual({ PATH: '/bin', HOME: '/home/a', LC_ALL: 'C', TZ: 'UTC' });
});

test('what the job says wins', () => {
  expect(childEnvironment({ PATH: '/bin', TZ: 'UTC' }, { TZ: 'Asia/Tokyo', MODE: 'fast' })).toEqual({
    PATH: '/bin',
    TZ: 'Asia/Tokyo',
    MODE: 'fast',
  });
});

test('settings of Shoal itself never reach a child, even when a job names them', () => {
  expect(childEnvironment({ SHOAL_TOKEN: 'y' }, { SHOAL_TOKEN: 'z', shoal_address: 'here' })).toEqual({});
});
