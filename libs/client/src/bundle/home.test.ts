import { expect, test } from 'vitest';
import { errorAtHome, factsAtHome, textAtHome } from './home.ts';

const sha256 = 'ab'.repeat(32);
const home = { bundle: { sha256 }, module: 'src/work.ts', root: 'file:///home/ada/project/' };
const onAgent = `/tmp/shoal-bundles-0badcafe-12-34-Xyz/${sha256}.mjs`;

test.each([
  [
    'a source in a stack',
    'at f (shoal-bundle:/src/work.ts:4:9)',
    'at f (file:///home/ada/project/src/work.ts:4:9)',
  ],
  [
    'a module that asked for another',
    'Require stack:\n- /shoal-bundle/src/work.ts',
    'Require stack:\n- /home/ada/project/src/work.ts',
  ],
  ['the URL of a module', "from 'file:///shoal-bundle/lib/a.ts'", "from 'file:///home/ada/project/lib/a.ts'"],
  [
    'the file of the bundle',
    `Cannot find package 'x' imported from ${onAgent}`,
    "Cannot find package 'x' imported from src/work.ts (bundled)",
  ],
  ['its URL in a stack', `at file://${onAgent}:1:20`, 'at src/work.ts (bundled):1:20'],
  ['another bundle', `/tmp/${'cd'.repeat(32)}.mjs`, `/tmp/${'cd'.repeat(32)}.mjs`],
])('%s is called as the user knows it', (_, told, known) => {
  expect(textAtHome(told, home)).toBe(known);
  expect(textAtHome(told, undefined)).toBe(told);
});

test('every fact of an error is, and its module is the user’s', () => {
  const facts = { module: onAgent, reason: `it throws in ${onAgent}`, index: 3 };
  expect(factsAtHome<string | number>(facts, home)).toEqual({
    module: 'src/work.ts',
    reason: 'it throws in src/work.ts (bundled)',
    index: 3,
  });
});

test('an error is, with its causes and all that it gathers', () => {
  const error = (message: string): { name: string; message: string; stack: string } => ({
    name: 'Error',
    message,
    stack: `Error: ${message}\n    at ${onAgent}:1:1`,
  });
  const told = { ...error(onAgent), cause: error(onAgent), errors: [error(onAgent)] };
  const kept = { ...error('x'), error: error(onAgent), suppressed: error(onAgent) };
  expect(JSON.stringify(errorAtHome(kept, home))).not.toContain(sha256);
  expect(JSON.stringify(errorAtHome(told, home))).not.toContain(sha256);
  expect(errorAtHome({ ...error('x'), cause: { value: 1 } }, home).cause).toEqual({ value: 1 });
});
