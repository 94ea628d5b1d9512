/**
 * How children are started is known in libs/pool/src/launchers and nowhere else in the pool.
 *
 * What others know of it is listed here with the reason: the option on its way to a launcher, and facts of endings.
 */
import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const pool = fileURLToPath(new URL('../../libs/pool/src/', import.meta.url));
const files = globSync('**/*.ts', { cwd: pool })
  .filter((file) => !/\.(test|testkit)\.ts$/.test(file) && !file.startsWith('fixtures/'))
  .toSorted();
const isLauncher = (file: string): boolean => file.startsWith('launchers/');

/** Without its comments. */
const codeOf = (file: string): string =>
  readFileSync(`${pool}${file}`, 'utf8').replaceAll(/^\s*(\*|\/\/|\/\*).*$/gm, '');

/** `file <- what`, for each import of values whose file `isAsked`. A type is gone when anything runs. */
function valueImports(isAsked: (imported: string) => boolean): string[] {
  return files.flatMap((file) =>
    [...codeOf(file).matchAll(/^(?:import|export) (?!type )([^;]*?) from '(\.[^']*)';/gm)].flatMap(
      ([, names = '', path = '']) => {
        const imported = posix.join(posix.dirname(file), path);
        const values = (names.match(/[\w ]+/g) ?? [])
          .map((name) => name.trim())
          .filter((name) => name !== '' && !name.startsWith('type '));
        return isAsked(imported) ? values.map((name) => `${file} <- ${name} of ${imported}`) : [];
      },
    ),
  );
}

test('the pool has one way to children, which chooses among the others, and one that keeps them apart', () => {
  const ofLaunchers = valueImports(isLauncher).filter((found) => !isLauncher(found));
  expect(ofLaunchers.filter((found) => /Launcher/i.test(found.split(' of ')[0] ?? ''))).toEqual([
    'child-pool/child-pool.ts <- ChoosingLauncher of launchers/choosing.ts',
    'child-pool/child-pool.ts <- IsolatingLauncher of launchers/isolated.ts',
  ]);
  // The program of the fork server itself: it runs in that process, and in no pool.
  const ofForking = ofLaunchers.filter((found) => / of launchers\/(fork|spawn|forked)/.test(found));
  expect(ofForking).toEqual([
    'fork-main.ts <- firstOrder of launchers/fork-news.ts',
    'fork-main.ts <- forkRecord of launchers/fork-news.ts',
    'fork-main.ts <- selfTests of launchers/fork-news.ts',
    // How an agent asks whether a user can be had at all: `setpriv`, as `spawn` uses it.
    'index.ts <- setprivArguments of launchers/spawn.ts',
    'index.ts <- setprivPaths of launchers/spawn.ts',
  ]);
});

test('decisions about fork servers, and whether to fork at all, are asked for by launchers alone', () => {
  const deciding = /^core\/(start-policy|server-answers|server-deaths)\.ts$/;
  const asking = valueImports((imported) => deciding.test(imported));
  expect(asking.map((found) => found.split(' ', 1)[0])).toEqual([
    'launchers/choosing.ts',
    'launchers/fork-server.ts',
    'launchers/fork-server.ts',
    'launchers/fork.ts',
  ]);
});

/** Whose code names a way of starting, and what it may know. */
const knowing: Readonly<Record<string, string>> = {
  'child-pool/child-process.ts': 'hands the option on to the launcher',
  'child-pool/child-setup.ts': 'hands the option on to a child setup',
  'child-pool/chunk-request.ts': 'has the option among what children of a key are like',
  'core/start-policy.ts': 'decides, for the launcher, from what it measures',
  'job-backend.ts': 'has the counts that stats() shows',
  'local-backend.ts': 'warms nobody up before it is known what they will share',
  'options/option-table.ts': 'checks the option',
  'options/options.ts': 'is the option',
  'surface/item-error.ts': 'says of a death that it was that of a fork server',
};
const naming = /\b(startChildren|notForked|forked|spawned|isForked)\b|'(fork|spawn)'/;

test('nobody else names a way of starting: not what decides, nor what writes to children and reads from them', () => {
  const found = files.filter((file) => !isLauncher(file) && naming.test(codeOf(file)));
  expect(found).toEqual(Object.keys(knowing));
});

/** Whose code knows that a child ended with the process that it was a copy of: a fact of its ending, like a signal. */
const ending: Readonly<Record<string, string>> = {
  'core/child-endings.ts': 'counts no death of the pool for it',
  'core/chunk-record.ts': 'keeps whether a chunk may have ended a server',
  'core/chunk.ts': 'has the fact, among those of an ending',
  'core/placement.ts': 'runs one at a time of what may have ended a server',
  'core/pool-state.ts': 'tells the record of a function',
  'core/task-record.ts': 'remembers which items ran then',
  'launchers/fork.ts': 'reports it',
  'launchers/forked-child.ts': 'reports it',
  'local-endings.ts': 'hands it on to the scheduler, which charges no other attempt for it',
  'surface/item-error.ts': 'says it',
};

test('that a child ended with its server is a fact of its ending, which any way of starting may report', () => {
  const telling = files.filter((file) => /withItsServer|lostServer|ServerSuspect/.test(codeOf(file)));
  expect(telling).toEqual(Object.keys(ending));
});
