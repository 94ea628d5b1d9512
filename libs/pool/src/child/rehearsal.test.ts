import { createHook } from 'node:async_hooks';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { forkAddon } from '../launchers/fork-addon.ts';
import { rehearse } from './rehearsal.ts';

const { addon } = forkAddon();

test.skipIf(addon === undefined)(
  'a rehearsal leaves no timer behind, which would go off in each copy',
  async () => {
    const timers: { readonly _destroyed?: boolean }[] = [];
    const hook = createHook({
      init(_, type, __, resource) {
        // Not those of who runs this test.
        const isOurs = /\/child\/(?:child-program|rehearsal)\.ts/.test(new Error().stack ?? '');
        if (type === 'Timeout' && isOurs) timers.push(resource);
      },
    }).enable();
    const file = fileURLToPath(new URL('../../../fork-server/src/rehearsal.js', import.meta.url));
    await rehearse(() => addon?.makePair() ?? [-1, -1], file);
    hook.disable();
    expect(timers.length).toBeGreaterThan(0);
    expect(timers.filter(({ _destroyed: isOver }) => isOver === false)).toEqual([]);
  },
);
