import { expect, test } from 'vitest';
import { tellingLine } from './telling-line.ts';

const uncaught = `/home/ada/work.ts:3
  throw new RangeError('no such planet');
        ^

RangeError: no such planet
    at file:///home/ada/work.ts:3:9
    at ModuleJob.run (node:internal/modules/esm/module_job:430:25) {
  code: 'EPLANET'
}

Node.js v24.21.0
`;
const missing = `node:internal/modules/cjs/loader:1478
  throw err;
  ^

Error: Cannot find module './nothing.cjs'
Require stack:
- internal/preload
    at Module._resolveFilename (node:internal/modules/cjs/loader:1475:15) {
  code: 'MODULE_NOT_FOUND',
  requireStack: [ 'internal/preload' ]
}

Node.js v24.21.0
`;

test.each([
  ['an uncaught exception', uncaught, 'RangeError: no such planet'],
  ['a module that is to be loaded first', missing, "Error: Cannot find module './nothing.cjs'"],
  ['an unknown argument', '/usr/bin/node: bad option: --nope\n', '/usr/bin/node: bad option: --nope'],
  [
    'a value that an argument cannot have',
    'Error: illegal value for flag --stack-trace-limit=x of type int\nTry --help for options\n' +
      'node: bad option: --stack-trace-limit=x\nnode: bad option: --experimental-wasm-jspi\n',
    'Error: illegal value for flag --stack-trace-limit=x of type int',
  ],
  [
    'an argument without its value',
    'node: --title requires an argument\n\nNode.js v24.21.0\n',
    'node: --title requires an argument',
  ],
  [
    'an argument with a code',
    'TypeError [ERR_INVALID_ARG_TYPE]: it must be a string\n    at x (a.js:1:1)\n\nNode.js v24.21.0\n',
    'TypeError [ERR_INVALID_ARG_TYPE]: it must be a string',
  ],
  [
    'a heap that is full',
    '<--- Last few GCs --->\n\n[1:0x2] 50 ms: Scavenge\n\nFATAL ERROR: Reached heap limit Allocation failed\n----- Native stack trace -----\n\n 1: 0xe3 node::Abort() [node]\n',
    'FATAL ERROR: Reached heap limit Allocation failed',
  ],
  ['words of a tool', 'first\nthe disk is on fire\n', 'the disk is on fire'],
  ['nothing', '', ''],
  ['nothing but trimmings', '\nNode.js v24.21.0\n', ''],
])('%s', (_, stderr, line) => {
  expect(tellingLine(stderr)).toBe(line);
});
