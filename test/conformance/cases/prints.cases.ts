import { expect } from 'vitest';
import { eventually, Transcript, upTo } from '../pool-under-test.ts';
import { chapter } from '../specification.ts';
import { say, writeNatively } from '../work.ts';

/** `(say agent-1 pid=4711 item=3) text`, with the agent only where there is one. */
const said = (text: string, item: number): RegExp =>
  new RegExp(`^\\(say (\\S+ )?pid=\\d+ item=${item}\\) ${text}$`);

/** What tasks print. */
export const prints = chapter('prints', (specify) => {
  specify('what a task prints is shown as whole lines with who said it', async ({ open, kind }) => {
    const transcript = new Transcript();
    await using pool = await open({ processes: 1, printer: transcript.printer });
    await pool.map(say, [{ text: 'one' }, { text: 'two\nlines' }]);
    const lines = await eventually(
      () => transcript.stdout,
      ({ length }) => length === 3,
    );
    expect(lines[0]).toMatch(said('one', 0));
    expect(lines[1]).toMatch(said('two', 1));
    expect(lines[2]).toMatch(said('lines', 1));
    expect(lines[0]?.includes('agent-')).toBe(kind !== 'local pool');
  });

  specify('stdout and stderr stay apart', async ({ open }) => {
    const transcript = new Transcript();
    await using pool = await open({ processes: 1, printer: transcript.printer });
    await pool.map(say, [{ text: 'fine' }, { text: 'not fine', how: 'error' as const }]);
    await eventually(
      () => transcript.stdout.length + transcript.stderr.length,
      (lines) => lines === 2,
    );
    expect(transcript.stdout[0]).toMatch(said('fine', 0));
    expect(transcript.stderr[0]).toMatch(said('not fine', 1));
  });

  specify(
    'a module may keep a stream or its write while it is loaded, or put in another write',
    async ({ open }) => {
      const transcript = new Transcript();
      await using pool = await open({ processes: 1, printer: transcript.printer });
      const module = new URL('../fixtures/keeps-streams.ts', import.meta.url);
      await pool.map(module, ['one', 'two'], { export: 'say', chunkSize: 1 });
      await eventually(
        () => [...transcript.stdout, ...transcript.stderr],
        ({ length }) => length === 6,
      );
      for (const [item, text] of ['one', 'two'].entries()) {
        expect(transcript.stdout[2 * item]).toMatch(said(`${text} to a stream`, item));
        expect(transcript.stdout[2 * item + 1]).toMatch(said(`${text} by a write`, item));
        expect(transcript.stderr[item]).toMatch(said(`\\[mine\\] ${text}`, item));
      }
    },
  );

  specify('a line that is printed in pieces, or left unfinished, is one line', async ({ open }) => {
    const transcript = new Transcript();
    await using pool = await open({ processes: 2, printer: transcript.printer });
    await pool.map(
      say,
      upTo(6).map((item) => ({
        text: `line ${item}`,
        how: item < 3 ? ('pieces' as const) : ('unfinished' as const),
      })),
      { chunkSize: 1 },
    );
    const lines = await eventually(
      () => transcript.stdout.toSorted((a, b) => a.slice(-1).localeCompare(b.slice(-1))),
      ({ length }) => length === 6,
    );
    for (const [item, line] of lines.entries()) expect(line).toMatch(said(`line ${item}`, item));
  });

  specify('what native code and started tools write is shown with its process', async ({ open }) => {
    const transcript = new Transcript();
    await using pool = await open({ processes: 2, printer: transcript.printer });
    const pids = await pool.map(writeNatively, upTo(6), { chunkSize: 1 });
    const lines = await eventually(
      () => transcript.stdout.toSorted(),
      ({ length }) => length === 12,
    );
    for (const [item, pid] of pids.entries()) {
      expect(lines.filter((line) => line.includes(`pid=${pid}) native ${item}`))).toHaveLength(1);
      expect(lines.filter((line) => line.includes(`pid=${pid}) tool ${item}`))).toHaveLength(1);
    }
  });

  specify(
    'the exception that ends an idle process is shown, with the next job at the latest',
    async ({ open }) => {
      const transcript = new Transcript();
      await using pool = await open({ processes: 1, printer: transcript.printer });
      // In a child time is real: its item has to be done by then.
      const leaveBehind = () =>
        void setTimeout(() => {
          throw new Error('left behind');
        }, 20);
      await pool.apply(leaveBehind, []);
      await eventually(
        () => pool.stats().deaths,
        (deaths) => deaths === 1,
      );
      await pool.apply(() => 1, []);
      await eventually(
        () => transcript.stderr.join('\n'),
        (text) => text.includes('Error: left behind'),
      );
    },
    { containers: 'the next job may be of the other agent, which was told nothing' },
  );

  specify("with stdio: 'ignore' nothing is shown", async ({ open }) => {
    const transcript = new Transcript();
    await using pool = await open({ processes: 1, stdio: 'ignore', printer: transcript.printer });
    await pool.map(say, [{ text: 'unheard' }, { text: 'unheard', how: 'error' as const }]);
    pool.close();
    await pool.join();
    expect([...transcript.stdout, ...transcript.stderr]).toEqual([]);
  });

  specify(
    'a flood is cut, what was left out is counted, and no task is blocked or killed',
    async ({ open }) => {
      const transcript = new Transcript();
      await using pool = await open({ processes: 2, printer: transcript.printer });
      const flood = `${'drip '.repeat(20)}\n`.repeat(30_000);
      const items = upTo(4).map(() => ({ text: flood }));
      const out = await pool.map((item: { text: string }) => console.log(item.text), items);
      expect(out).toEqual([undefined, undefined, undefined, undefined]);
      await eventually(
        () =>
          [...transcript.stdout, ...transcript.stderr].filter((line) =>
            /\d+ .*(dropped|left out|more)/.test(line),
          ),
        ({ length }) => length > 0,
      );
      expect(transcript.stdout.join('\n').length).toBeLessThan(4 * 150_000);
      expect(pool.stats().deaths).toBe(0);
    },
  );
});
