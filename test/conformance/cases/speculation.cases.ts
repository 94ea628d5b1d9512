import type { MapProgress } from 'shoal';
import { expect } from 'vitest';
import { upTo } from '../pool-under-test.ts';
import { chapter } from '../specification.ts';
import { dawdleAtFirst } from '../work.ts';

/** Second attempts at what lags. */
export const speculation = chapter('speculation', (specify) => {
  specify(
    'a pure item that lags runs in another process too, and the first result counts',
    async ({ open }) => {
      await using pool = await open({ processes: 2 });
      let last: MapProgress | undefined;
      const tries = await pool.map(dawdleAtFirst, upTo(6), {
        chunkSize: 1,
        pure: true,
        onProgress: (progress) => {
          last = progress;
        },
      });
      expect(tries).toEqual([2, 1, 1, 1, 1, 1]);
      expect(last).toEqual({
        total: 6,
        done: 6,
        failed: 0,
        running: 0,
        retried: 0,
        speculated: 1,
        speculationWins: 1,
      });
      expect(await pool.map(dawdleAtFirst, upTo(3), { pure: true }), 'the pool goes on').toEqual([2, 1, 1]);
    },
  );
});
