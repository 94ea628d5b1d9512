// Writes docs/api.md from the docstrings in the sources: `node tools/api-document.ts`.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ApiEntry, type ApiMember, declarationIn, publicApi } from './public-api.ts';

interface Chapter {
  readonly title: string;
  readonly names: readonly string[];
}

/** The order for those who read on. What is exported and has no place here comes at the end. */
const known: readonly Chapter[] = [
  { title: 'Pools', names: ['Pool', 'connect', 'MapPool'] },
  {
    title: 'Task functions',
    names: ['task', 'current', 'TaskContext', 'TaskFunction', 'TaskModule', 'Items', 'Broadcast'],
  },
  {
    title: 'Options',
    names: [
      'PoolOptions',
      'ConnectOptions',
      'MapOptions',
      'RetryOptions',
      'StreamOptions',
      'ModuleOptions',
      'SubmitOptions',
    ],
  },
  { title: 'Streams', names: ['ResultStream', 'NextOptions', 'Settled'] },
  { title: 'Jobs', names: ['Job', 'WaitOptions', 'JobEvents', 'JobEventName', 'JobListener', 'MapProgress'] },
  { title: 'Statistics', names: ['PoolStats', 'ProcessStats'] },
  { title: 'Prints', names: ['PrintWriter'] },
  {
    title: 'Errors',
    names: [
      'ShoalError',
      'ErrorCode',
      'ItemError',
      'ItemErrorCode',
      'ItemAttempt',
      'RemoteError',
      'InitializerError',
      'JobCancelledError',
      'PoolClosedError',
      'PoolTerminatedError',
      'TimeoutError',
    ],
  },
];

/** What users write options in: each of their members has a default, and a number a range. */
const isOptions = (name: string): boolean => name.endsWith('Options');

/** The exports in the order of the document, what `connect` takes beside the options of a pool included. */
function entries(): Map<string, ApiEntry> {
  const api = new Map(publicApi());
  const connect = api.get('ConnectOptions');
  const connection = declarationIn('libs/client/src/connection-options.ts', 'ConnectionOptions');
  if (connect !== undefined) api.set(connect.name, { ...connect, members: connection.members });
  return api;
}

function chaptersOf(api: ReadonlyMap<string, ApiEntry>): readonly Chapter[] {
  const placed = new Set(known.flatMap(({ names }) => names));
  const others = [...api.keys()].filter((name) => !placed.has(name)).sort();
  return [...known, ...(others.length === 0 ? [] : [{ title: 'Others', names: others }])];
}

/** The text of docs/api.md. */
export function apiDocument(): string {
  const api = entries();
  const chapters = chaptersOf(api);
  const linked = new Set(api.keys());
  const parts = [
    '# API',
    '',
    "What `import … from 'shoal'` gives. Errors by their code are in [errors.md](errors.md), the command line in `shoal --help`.",
    'Times are in milliseconds and sizes in bytes where a name ends in `Ms` and `Bytes`. A bad option is a `TypeError` or a',
    '`RangeError` that names it: thrown by `new Pool`, a rejection from `connect` and the methods.',
    '',
    'This file is made from the docstrings: after a change there, run `node tools/api-document.ts`.',
    '',
    ...chapters.map(({ title, names }) => {
      const links = names.map((name) => `[${name}](#${name.toLowerCase()})`);
      return `- [${title}](#${title.toLowerCase().replaceAll(' ', '-')}): ${links.join(', ')}`;
    }),
    '',
  ];
  for (const { title, names } of chapters) {
    parts.push(`## ${title}`, '');
    for (const name of names) {
      const entry = api.get(name);
      if (entry === undefined)
        throw new Error(`shoal exports no ${name}: take it out of tools/api-document.ts`);
      parts.push(...section(entry, linked));
    }
  }
  return `${parts.join('\n').trimEnd()}\n`;
}

function section(entry: ApiEntry, linked: ReadonlySet<string>): string[] {
  const { name, kind, doc, signature, members } = entry;
  // An interface's members follow one by one; of its own line only what it extends says something.
  const isPlain = kind === 'interface' && !signature.includes(' extends ');
  return [
    `### ${name}`,
    '',
    withLinks(doc, linked),
    '',
    ...(isPlain ? [] : [...fenced([signature]), '']),
    ...members.flatMap((member) => memberSection(name, member, linked)),
  ];
}

function memberSection(
  owner: string,
  { name, signatures, doc }: ApiMember,
  linked: ReadonlySet<string>,
): string[] {
  const [first = ''] = signatures;
  const isShort = signatures.length === 1 && !first.includes('\n') && first.length < 100;
  return [
    `#### ${isShort ? `\`${first}\`` : `\`${owner}.${name}\``}`,
    '',
    ...(isShort ? [] : [...fenced(signatures), '']),
    withLinks(doc, linked),
    '',
  ];
}

const fenced = (lines: readonly string[]): string[] => ['```typescript', ...lines, '```'];

const withLinks = (doc: string, linked: ReadonlySet<string>): string =>
  doc.replaceAll(/\{@link (\w+)\}/g, (_, name: string) =>
    linked.has(name) ? `[${name}](#${name.toLowerCase()})` : `\`${name}\``,
  );

/** What the docstrings owe their readers, one line each; empty where they owe nothing. */
export function omissions(api: ReadonlyMap<string, ApiEntry> = entries()): string[] {
  const owed: string[] = [];
  for (const { name, doc, members } of api.values()) {
    if (doc === '') owed.push(`${name} has no docstring`);
    for (const member of members) {
      for (const what of omissionsOf(member, isOptions(name))) owed.push(`${name}.${member.name} ${what}`);
    }
  }
  return owed;
}

function* omissionsOf({ name, doc, signatures }: ApiMember, isOption: boolean): Generator<string> {
  if (doc === '') {
    yield 'has no docstring';
    return;
  }
  if (!isOption) return;
  if (!/\bdefaults?\b/i.test(doc)) yield 'does not say its default';
  if (/As in \{@link \w+\}/.test(doc)) return;
  const isNumber = signatures.some((signature) => /: (.*\| )?number\b/.test(signature));
  if (isNumber && !/-?[\d,]+ to [\d,]+|\bFrom [\d,]+/.test(doc)) yield 'does not say its range';
  if (name.endsWith('Ms') && !/millisecond/.test(doc)) yield 'does not say its unit';
  if (name.endsWith('Bytes') && !/byte/.test(doc)) yield 'does not say its unit';
}

/** The docstring of every option, by `Interface.option`. */
export function optionDocs(): ReadonlyMap<string, string> {
  const options = [...entries().values()].filter(({ name }) => isOptions(name));
  return new Map(
    options.flatMap(({ name, members }) => members.map((each) => [`${name}.${each.name}`, each.doc])),
  );
}

if (import.meta.main) {
  writeFileSync(fileURLToPath(new URL('../docs/api.md', import.meta.url)), apiDocument());
  for (const omission of omissions()) {
    console.error(omission);
    process.exitCode = 1;
  }
}
