import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { agentCommandTypes } from './agent-command.ts';
import { agentEventTypes } from './agent-event.ts';
import { cast } from './cast.ts';
import { schedulerCommandTypes } from './scheduler-command.ts';
import { schedulerEventTypes } from './scheduler-event.ts';
import { replay } from './transcript.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));

/** Set it to have the answers rewritten; then read the difference as carefully as you would read code. */
const update = process.env['UPDATE_TRANSCRIPTS'] === '1';

describe('the cores answer as the transcript says', () => {
  test.each(files)('%s', (name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    const played = replay(name, text, cast);
    if (update) writeFileSync(join(folder, name), played);
    else expect(played).toBe(text);
  });
});

const stories = files.map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));

test.each(stories)('$name tells what it shows, and which guarantee it is about', ({ text }) => {
  const opening = text.slice(0, text.search(/^[^#]/m));
  const [title, ...story] = opening.split('\n').map((line) => line.replace(/^# ?/, ''));
  expect(title).toMatch(/^[A-Z].*[^.]$/i);
  expect(story.join(' ').match(/[.:]( |$)/g)?.length).toBeGreaterThanOrEqual(2);
  expect(story.join(' ')).toMatch(/\bG\d+\b/);
});

test('docs/protocol.md links every transcript, and none that is not there', () => {
  const document = readFileSync(join(folder, '../../docs/protocol.md'), 'utf8');
  const linked = [...document.matchAll(/\]\(\.\.\/test\/transcripts\/([\w-]+\.txt)\)/g)].map(
    ([, name]) => name,
  );
  expect([...new Set(linked)].sort()).toEqual(files.toSorted());
});

test.each([
  { core: 'scheduler', events: schedulerEventTypes, commands: schedulerCommandTypes },
  { core: 'agent', events: agentEventTypes, commands: agentCommandTypes },
])('every event and every command of the $core is in a transcript', ({ core, events, commands }) => {
  const theirs = stories.filter(({ text }) => new RegExp(`^${core}\\b`, 'm').test(text));
  const all = theirs.map(({ text }) => text).join('');
  const missing = [
    ...events.filter((type) => !new RegExp(`^\\S+  (late )?${type}\\b`, 'm').test(all)),
    ...commands.filter((type) => !new RegExp(`^    => (\\S+: )?${type}\\b`, 'm').test(all)),
  ];
  expect(missing).toEqual([]);
});
