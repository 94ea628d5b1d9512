// Writes docs/limits.md from the tables and constants in the sources: `node --conditions=@shoal/source tools/limits-document.ts`.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Limit, limits } from '@shoal/protocol';

const root = new URL('../', import.meta.url);

/** A limit that is a constant in one file: what holds to it loads nothing, so it is in no table. */
interface Constant {
  readonly name: string;
  readonly file: string;
  readonly constant: string;
  readonly unit: string;
  readonly option: string;
  readonly beyond: string;
  readonly shows: string;
  readonly meaning: string;
}

const inPool = 'libs/pool/src/';

/** Those of pools and their processes, on a laptop and on agents alike. */
const ofPools: readonly Constant[] = [
  {
    name: 'maxItemBytes',
    file: `${inPool}surface/job-opener.ts`,
    constant: 'defaultItemBytesMax',
    unit: 'bytes',
    option: '`maxItemBytes`',
    beyond: '`ITEM_TOO_LARGE`',
    shows: 'the error of the item',
    meaning: 'One item, encoded.',
  },
  {
    name: 'maxResultBytes',
    file: `${inPool}pool.ts`,
    constant: 'defaultResultBytesMax',
    unit: 'bytes',
    option: '`maxResultBytes`',
    beyond: '`RESULT_TOO_LARGE`',
    shows: 'the error of the item',
    meaning: 'One result, encoded.',
  },
  {
    name: 'maxBroadcastBytes',
    file: `${inPool}surface/surface.ts`,
    constant: 'defaultBroadcastBytesMax',
    unit: 'bytes',
    option: '`maxBroadcastBytes`',
    beyond: '`BROADCAST_TOO_LARGE`',
    shows: 'the error of `broadcast`',
    meaning: 'All broadcast values of a pool together.',
  },
  {
    name: 'bufferSize',
    file: `${inPool}surface/job-opener.ts`,
    constant: 'windowItemsMax',
    unit: 'items',
    option: '`bufferSize`',
    beyond: 'the input is read no further',
    shows: '`stats().queued`',
    meaning: 'Items taken from the input and not yet taken by the consumer.',
  },
  {
    name: 'bufferBytes',
    file: `${inPool}surface/job-opener.ts`,
    constant: 'windowBytesMax',
    unit: 'bytes',
    option: '`bufferBytes`',
    beyond: 'the input is read no further',
    shows: '`stats().queued`',
    meaning: 'The same in bytes; a single bigger item always fits.',
  },
  {
    name: 'printBytesPerItem',
    file: `${inPool}child-pool/output-limits.ts`,
    constant: 'printBytes',
    unit: 'bytes',
    option: '`maxPrintBytesPerItem`',
    beyond: 'dropped',
    shows: 'a line with the count, where the prints would be',
    meaning: 'What one item prints.',
  },
  {
    name: 'printBytesPerSecond',
    file: `${inPool}child-pool/output-limits.ts`,
    constant: 'printBytesPerSecond',
    unit: 'bytes a second',
    option: '`maxPrintBytesPerSecond`',
    beyond: 'dropped',
    shows: 'a line with the count, where the prints would be',
    meaning: 'What one process prints.',
  },
  {
    name: 'errorMessageChars',
    file: `${inPool}child-pool/output-limits.ts`,
    constant: 'errorChars',
    unit: 'characters',
    option: '`maxErrorChars`',
    beyond: 'cut',
    shows: 'the text itself',
    meaning: 'The message of an error that a task threw.',
  },
  {
    name: 'errorStackChars',
    file: `${inPool}child-pool/output-limits.ts`,
    constant: 'errorChars',
    unit: 'characters',
    option: '`maxErrorChars`',
    beyond: 'cut',
    shows: 'the text itself',
    meaning: 'Its stack.',
  },
  {
    name: 'errorCauseDepth',
    file: `${inPool}child-pool/output-limits.ts`,
    constant: 'errorDepth',
    unit: 'errors',
    option: '`maxErrorDepth`',
    beyond: 'left out',
    shows: 'the last cause that is kept',
    meaning: 'Errors in a chain of `cause`.',
  },
  {
    name: 'errorFields',
    file: `${inPool}child-pool/output-limits.ts`,
    constant: 'errorFields',
    unit: 'fields',
    option: '`maxErrorFields`',
    beyond: 'left out',
    shows: 'the fields that are kept',
    meaning: 'Own fields of an error.',
  },
  {
    name: 'errorBytes',
    file: `${inPool}child-pool/output-limits.ts`,
    constant: 'errorBytes',
    unit: 'bytes',
    option: '`maxErrorBytes`',
    beyond: 'fields and causes are left out, then it is cut',
    shows: 'the fields that are kept',
    meaning: 'All that is sent of an error.',
  },
  {
    name: 'startMs',
    file: `${inPool}core/pool-limits.ts`,
    constant: 'startMs',
    unit: 'milliseconds',
    option:
      'fixed: Node starts in a fraction of a second, or hangs; one that waits for a debugger (`--inspect-brk`, `--inspect-wait`) has no limit',
    beyond: 'it is killed and another one started; after three in a row `CHILD_START_FAILED`',
    shows: '`stats().deaths`',
    meaning:
      'From the start of a process to its first word, before its initializer. Node can hang where the system gives it no thread.',
  },
  {
    name: 'unreadStreamMs',
    file: `${inPool}surface/drain-watch.ts`,
    constant: 'defaultUnreadMs',
    unit: 'milliseconds',
    option: '`unreadStreamMs`',
    beyond: '`POOL_TERMINATED`',
    shows: 'the error of `next()`',
    meaning: "How long a disposal that drains waits for a stream's reader to ask for a result.",
  },
  {
    name: 'inputReturnMs',
    file: `${inPool}surface/input-puller.ts`,
    constant: 'inputReturnMs',
    unit: 'milliseconds',
    option: 'fixed: whoever leaves a loop is not held up by what hangs in its input',
    beyond: 'nobody waits any longer',
    shows: 'nothing',
    meaning: "How long `return()` of a stream waits for `return()` of its input's iterator.",
  },
  {
    name: 'statusTextChars',
    file: 'libs/protocol/src/status.ts',
    constant: 'messageCharsMax',
    unit: 'characters',
    option: 'fixed: HTTP/2 carries it as a header',
    beyond: 'cut',
    shows: 'the text itself',
    meaning: 'The text of the status that a call ends with.',
  },
  {
    name: 'factChars',
    file: 'libs/protocol/src/facts.ts',
    constant: 'factCharsMax',
    unit: 'characters',
    option: 'fixed: HTTP/2 carries it as a header',
    beyond: 'cut',
    shows: 'the text itself',
    meaning: 'One fact of an error on the wire.',
  },
];

/** A bound without an option, a count and an error of its own: what reaches it loses nothing. */
interface FixedBound {
  readonly file: string;
  readonly constant: string;
  readonly unit: string;
  readonly what: string;
  readonly because: string;
}

const inAccess = 'apps/coordinator/src/access/';

const fixedBounds: readonly FixedBound[] = [
  {
    file: `${inAccess}token-tries.ts`,
    constant: 'waitMsMax',
    unit: 'milliseconds',
    what: 'The longest wait after wrong tokens.',
    because:
      'a longer one keeps out whoever has put his token right, and nobody guesses 256 bits in any time',
  },
  {
    file: `${inAccess}token-tries.ts`,
    constant: 'memoryMs',
    unit: 'milliseconds',
    what: 'How long an address without a wrong token is remembered.',
    because: '`wrongTokenPeers` bounds what that costs',
  },
  {
    file: `${inAccess}access-service.ts`,
    constant: 'ttlMsMax',
    unit: 'milliseconds',
    what: 'The longest life of a token to join with; the shortest is 1 s.',
    because:
      'whoever asks chooses within it (`shoal token create --ttl`), more is refused with `REQUEST_INVALID`, and such a token is for a machine that is about to join',
  },
  {
    file: `${inAccess}join-tokens.ts`,
    constant: 'memoryMs',
    unit: 'milliseconds',
    what: 'How long a token to join with is remembered after it has expired, for the words of an error.',
    because: '`joinTokens` bounds what that costs, and those that can be used go before',
  },
  {
    file: 'libs/credentials/src/token-file.ts',
    constant: 'fileBytesMax',
    unit: 'bytes',
    what: 'The token file of whoever calls a coordinator; a longer one is refused with `FILE_NOT_USABLE`.',
    because: 'one token is read out of it, which has 43 letters',
  },
  {
    file: 'apps/coordinator/src/core/coordinator-limits.ts',
    constant: 'defaultEndedJobsMax',
    unit: 'jobs',
    what: 'Jobs that have ended, and of which nothing else is kept.',
    because: 'they are known for 30 s, for a client that asks once more, and are a few hundred bytes each',
  },
  {
    file: 'libs/protocol/src/front-door.ts',
    constant: 'askingMax',
    unit: 'connections',
    what: 'Connections beyond `connections` and `connectionsPerPeer` that are told which it was before they are closed.',
    because: 'others are closed at once, which is what the limit is for, and each is counted by its name',
  },
  {
    file: 'libs/protocol/src/front-door.ts',
    constant: 'askingMs',
    unit: 'milliseconds',
    what: 'How long they have to ask.',
    because: 'ours ask at once',
  },
  {
    file: 'apps/coordinator/src/watch/metrics-http.ts',
    constant: 'headerBytesMax',
    unit: 'bytes',
    what: 'The headers of a request to the HTTP port; more is answered with 431.',
    because: 'a request for `/metrics` or `/healthz` needs none of them',
  },
  {
    file: 'apps/coordinator/src/watch/told-counts.ts',
    constant: 'tellEveryMs',
    unit: 'milliseconds',
    what: 'Time between two lines of the log about one limit.',
    because: 'the next line has how often it was reached since, and `limits_reached` has all',
  },
  {
    file: `${inAccess}access.ts`,
    constant: 'refusalsEveryMs',
    unit: 'milliseconds',
    what: 'Time between two lines of the log about calls that were refused.',
    because: 'the next line has how many there were since, and whoever was refused was told',
  },
];

/** The value of a constant of a file: a number, or a product or power of numbers. Throws where it is no longer there. */
export function constantIn(file: string, name: string): number {
  const source = readFileSync(new URL(file, root), 'utf8');
  const [, written] =
    new RegExp(`^(?:export )?const ${name}(?:: number)? = ([\\d_ */]+);`, 'm').exec(source) ?? [];
  if (written === undefined)
    throw new Error(`${file} has no constant ${name}: put tools/limits-document.ts right`);
  const powers = written.replaceAll('_', '').split(/(?<!\*)\*(?!\*)/);
  return powers.reduce((product, power) => {
    const [base = '', exponent = '1'] = power.split('**');
    return product * Number(base) ** Number(exponent);
  }, 1);
}

const sizes: readonly (readonly [string, number])[] = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
];

function quantity(value: number, unit: string): string {
  if (unit === 'milliseconds' && value % 3_600_000 === 0) return `${value / 3_600_000} h`;
  if (unit === 'milliseconds') return value % 60_000 === 0 ? `${value / 60_000} min` : `${value / 1000} s`;
  const [name, size] = unit.startsWith('bytes') ? (sizes.find(([, each]) => value >= each) ?? []) : [];
  if (name !== undefined && size !== undefined) return `${value / size} ${name}${unit.replace('bytes', '')}`;
  return `${value.toLocaleString('en-US')} ${value === 1 ? unit.replace(/s$/, '') : unit}`;
}

const dashed = (option: string): string => option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const places = {
  coordinator: (option: string) => `\`${option}\`, \`shoal coordinator --${dashed(option)}\``,
  agent: (option: string) => `\`${option}\`, \`shoal agent --${dashed(option)}\``,
  pool: (option: string) => `\`${option}\` of a pool or a job`,
};

const metrics = {
  limits_reached: (name: string) => `\`limits_reached["${name}"]\``,
  spilled_bytes: () => '`spilled_bytes`',
  spooled_bytes: () => '`spooled_bytes` of the agent',
  troubles: () => '`troubles` of the agent',
  unlisted_processes: () => '`unlisted_processes` of the stats that a job is told, `stats().unlisted`',
};

function shownIn(name: string, { metric, waiting }: Limit): string {
  const shown = metric === undefined ? [] : [metrics[metric](name)];
  if (waiting !== undefined) shown.push(`\`limits_waiting["${name}"]\` (${waiting})`);
  return shown.join(', ');
}

/** The names of all rows. */
export const limitNames = (): string[] => [...Object.keys(limits), ...ofPools.map(({ name }) => name)];

/** The text of docs/limits.md. */
export function limitsDocument(): string {
  const wire = Object.entries(limits).map(([name, each]) => [
    `\`${name}\``,
    quantity(each.default, each.unit),
    each.option === undefined ? `fixed: ${each.fixedBecause}` : places[each.of](each.option),
    each.error === undefined
      ? (each.told ?? '')
      : `[\`${each.error}\`](errors.md#${each.error.toLowerCase()})`,
    shownIn(name, each),
    each.meaning,
  ]);
  const pools = ofPools.map(({ beyond, constant, file, meaning, name, option, shows, unit }) => [
    `\`${name}\``,
    quantity(constantIn(file, constant), unit),
    option,
    beyond,
    shows,
    meaning,
  ]);
  const bounds = fixedBounds.map(({ because, constant, file, unit, what }) => [
    what,
    quantity(constantIn(file, constant), unit),
    because,
  ]);
  return [
    '# Limits',
    '',
    'Everything has a limit. An option changes it; where it says "fixed", it also says why.',
    '',
    'This file is made from `libs/protocol/src/limits.ts` and the constants that tools/limits-document.ts names: after a change',
    'there, run `node --conditions=@shoal/source tools/limits-document.ts`.',
    '',
    '## Of a cluster',
    '',
    'Where there is no error, what is beyond waits, is dropped, or is closed, and "told by" says how one hears of it. What the',
    'coordinator counts is in `limits_reached` of `ClusterService.GetStatus` and of `shoal status --output-format json` by the name of',
    'the limit; `shoal status` lists those that were reached since it started, and `GET /metrics` of the coordinator has it for',
    'Prometheus as `shoal_limits_reached_total{limit="NAME"}`. Where a limit makes somebody wait, `limits_waiting` says in the same places how many',
    'jobs or calls do at this moment (`shoal_limits_waiting{limit="NAME"}`): zero again when they go on. What an error names as',
    '`limitName` is that name.',
    '',
    ...table(['limit', 'default', 'option', 'told by', 'shows in', 'meaning'], wire),
    '',
    '## Of a pool and its processes',
    '',
    'On a laptop and on agents alike.',
    '',
    ...table(['limit', 'default', 'option', 'beyond it', 'shows in', 'meaning'], pools),
    '',
    '## Fixed bounds of a coordinator',
    '',
    'These have no option, and no count of their own: nobody loses by them what he could have with another value.',
    '',
    ...table(['what', 'how much', 'why it is fixed'], bounds),
    '',
  ].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

if (import.meta.main) {
  writeFileSync(fileURLToPath(new URL('docs/limits.md', root)), limitsDocument());
}
