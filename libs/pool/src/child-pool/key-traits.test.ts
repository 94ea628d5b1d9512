import { expect, test } from 'vitest';
import { setupOf } from './child-pool.testkit.ts';
import { keyTraitsOf } from './key-traits.ts';

test.each<[string, string[], string | undefined, boolean]>([
  ['--inspect-brk', ['--inspect-brk'], undefined, true],
  ['a port behind it', ['--enable-source-maps', '--inspect-brk=0'], undefined, true],
  ['--inspect-wait, however it is written', ['--inspect_wait=127.0.0.1:0'], undefined, true],
  ['NODE_OPTIONS', [], '--prof --inspect-wait', true],
  ['--inspect, which waits for nobody', ['--inspect=0'], '--inspect', false],
  ['no option', [], undefined, false],
])('children that wait for a debugger are known by %s', (_, execArgv, ofEnvironment, waits) => {
  const env: Record<string, string> = ofEnvironment === undefined ? {} : { NODE_OPTIONS: ofEnvironment };
  expect(keyTraitsOf(setupOf({ env, execArgv }))).toEqual(waits ? { waitsForDebugger: true } : {});
});

test('how old children may get is told beside it', () => {
  const setup = setupOf({ execArgv: ['--inspect-brk'], maxAgeMs: 5 });
  expect(keyTraitsOf(setup)).toEqual({ maxAgeMs: 5, waitsForDebugger: true });
});
