/** The task functions of the conformance suite: a module like a user's. */
import { spawn, spawnSync } from 'node:child_process';
import fs, { appendFileSync, closeSync, writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Broadcast, current, task } from 'shoal';

export interface Scientist {
  readonly name: string;
  readonly born: number;
}

export const transform = task(import.meta, async (scientist: Scientist) => {
  await sleep(100);
  return { name: scientist.name, age: 2017 - scientist.born, pid: process.pid };
});

export const square = task(import.meta, (x: number) => x * x);

/** Big results, of several messages each. */
export const repeated = task(import.meta, (x: number) => `${x}`.repeat(800_000));

/** No two runs give the same. */
export const throwDice = task(import.meta, (item: number) => `${item}: ${Math.random()}`);

export const add = task(import.meta, (a: number, b: number, c: number = 0) => a + b + c);

export const sleepThenSay = task(import.meta, async (ms: number) => {
  await sleep(ms);
  return ms;
});

export const whoRan = task(import.meta, async (item: number) => {
  await sleep(1);
  return { item, pid: process.pid, worker: worker() };
});

/** Throws for the items that are named after a colon: `{ item, bad }`. */
export const failIfBad = task(import.meta, ({ item, bad }: { item: number; bad: boolean }) => {
  if (bad) throw Object.assign(new TypeError(`bad record ${item}`), { code: 'EBAD', record: { item } });
  return item;
});

/** Fails until it has been tried `times` times; then it takes its time. */
export const failAtFirst = task(import.meta, async ({ times, ms = 0 }: { times: number; ms?: number }) => {
  const attempt = current()?.attempt ?? 0;
  if (attempt < times) throw Object.assign(new Error(`try ${attempt}`), { code: 'EAGAIN' });
  if (ms > 0) await sleep(ms);
  return attempt;
});

/** Item 0 takes a minute in its first try, everything else a moment. Says which try it was. */
export const dawdleAtFirst = task(import.meta, async (item: number) => {
  const attempt = current()?.attempt;
  if (item === 0 && attempt === 1) await sleep(60_000);
  return attempt;
});

export const loopForEver = task(import.meta, (item: number) => {
  while (item === 1) {
    // Nothing but the clock can end this.
  }
  return item;
});

export const echo = task(import.meta, (value: unknown) => value);

export const returnFunction = task(import.meta, (item: number) => (item === 1 ? { run: () => item } : item));

export const throwAnything = task(import.meta, (how: string) => {
  switch (how) {
    case 'string':
      throw 'just a string';
    case 'undefined':
      throw undefined;
    case 'proxy':
      throw new Proxy(
        {},
        {
          get() {
            throw new Error('trap');
          },
        },
      );
    default:
      return how;
  }
});

export const whereAmI = task(import.meta, () => {
  const { index, attempt, signal, job, agent } = current() ?? {};
  return { index, attempt, isSignal: signal instanceof AbortSignal, job: typeof job, agent };
});

/** Which process this is, also where several machines have processes of the same number. */
export const worker = (): string => `${hostname()}:${process.pid}`;

/** When and where an item ran. */
export interface Run {
  readonly item: number;
  readonly worker: string;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** Takes its time, and says when and where it did. */
export const runFor = task(import.meta, async ({ item, ms }: { item: number; ms: number }): Promise<Run> => {
  const startedAt = Date.now();
  await sleep(ms);
  return { item, worker: worker(), startedAt, endedAt: Date.now() };
});

/**
 * As `runFor`, but first waits until as many as `meet` have begun: how fast processes start, and how busy the machine is,
 * decides nothing then. Each notes in a file of theirs that it has.
 */
export const runTogether = task(
  import.meta,
  async ({
    item,
    ms,
    file,
    meet,
  }: {
    item: number;
    ms: number;
    file: string;
    meet: number;
  }): Promise<Run> => {
    const startedAt = Date.now();
    appendFileSync(file, `${item}\n`);
    const begun = (): number => fs.readFileSync(file, 'utf8').split('\n').length - 1;
    for (const untilMs = startedAt + 60_000; begun() < meet; await sleep(10)) {
      if (Date.now() > untilMs) throw new Error(`${begun()} have begun and wait for each other, not ${meet}`);
    }
    await sleep(ms);
    return { item, worker: worker(), startedAt, endedAt: Date.now() };
  },
);

/** Adds a line with its process and item to a file, then does as it is told. */
export const noteStart = task(
  import.meta,
  (order: { file: string; item: number; how?: 'throw' | 'kill' | 'loop' }) => {
    appendFileSync(order.file, `${process.pid} ${order.item}\n`);
    if (order.how === 'throw') throw new Error(`bad ${order.item}`);
    if (order.how === 'kill') process.kill(process.pid, 'SIGKILL');
    while (order.how === 'loop') {
      // Nothing but the clock can end this.
    }
    return order.item;
  },
);

/** The ways in which an item can take its process with it, or its process's peace. */
export type Mischief =
  | 'SIGKILL'
  | 'SIGSEGV'
  | 'abort'
  | 'exit 0'
  | 'exit 3'
  | 'heap'
  | 'closes its descriptors'
  | 'writes nonsense to the pool'
  | 'unhandled rejection'
  | 'throws from a timer while it runs'
  | 'stops itself'
  | 'never settles'
  | 'loops';

/** Does mischief for one item, and nothing for the others. */
export const misbehave = task(
  import.meta,
  async ({ item, how }: { item: number; how?: Mischief }): Promise<number> => {
    switch (how) {
      case undefined:
        return item;
      case 'SIGKILL':
      case 'SIGSEGV':
        process.kill(process.pid, how);
        break;
      case 'abort':
        process.abort();
        break;
      case 'exit 0':
        process.exit(0);
        break;
      case 'exit 3':
        process.exit(3);
        break;
      case 'heap': {
        const hoard: number[][] = [];
        for (;;) hoard.push(Array.from({ length: 10_000 }, Math.random));
      }
      case 'closes its descriptors':
        for (const descriptor of [0, 1, 2, 3]) closeSync(descriptor);
        break;
      case 'writes nonsense to the pool':
        writeSync(3, Buffer.alloc(1_000, 0xff));
        break;
      case 'unhandled rejection':
        void Promise.reject(new Error('nobody waits for me'));
        break;
      case 'throws from a timer while it runs':
        setTimeout(() => {
          throw new Error('from a timer');
        }, 1);
        break;
      case 'stops itself':
        process.kill(process.pid, 'SIGSTOP');
        break;
      case 'never settles':
        break;
      case 'loops':
        for (;;) {
          // Nothing but the clock can end this.
        }
    }
    return new Promise(() => {});
  },
);

/** Says something on stderr before it ends its process. */
export const lastWords = task(import.meta, (item: number) => {
  if (item !== 1) return item;
  writeSync(2, 'the disk is on fire\n');
  process.exit(7);
});

/** Returns, and throws afterwards where nobody can catch it. */
export const throwLater = task(import.meta, (item: number) => {
  if (item === 0) {
    setTimeout(() => {
      throw new Error('too late');
    }, 1);
  }
  return item;
});

/** Makes the ground unsafe for whatever runs next in its process. */
export const pollute = task(import.meta, (item: number) => {
  Reflect.set(Object.prototype, 'index', 99);
  Reflect.set(Object.prototype, 'toJSON', () => 'polluted');
  Array.prototype.includes = () => true;
  JSON.stringify = () => 'polluted';
  return item;
});

interface Ruin {
  readonly item: number;
  readonly part: 'methods' | 'iterators' | 'bytes';
  readonly as: 'number' | 'record' | 'map';
}

/** Replaces, with its first item, what every program uses of the built-in objects by what throws. */
export const ruin = task(import.meta, ({ as, item, part }: Ruin): unknown => {
  // Without a list of entries, whose iterator may be gone.
  const map = new Map();
  const result = { number: item, record: { item, name: `item ${item}` }, map: { item, map } }[as];
  if (item !== 0) return result;
  map.set('key', { value: item });
  const broken = (): never => {
    throw new Error('polluted');
  };
  const ruined = {
    methods: [Array, Array.prototype, Math, Set.prototype, Map.prototype, Object],
    iterators: [],
    bytes: [
      Uint8Array.prototype,
      Object.getPrototypeOf(Uint8Array.prototype) as object,
      Buffer.prototype,
      Buffer,
      ArrayBuffer,
      ArrayBuffer.prototype,
      DataView.prototype,
    ],
  }[part];
  const { defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;
  for (const object of ruined) {
    for (const name of ownKeys(object)) {
      const isMethod = typeof getOwnPropertyDescriptor(object, name)?.value === 'function';
      if (isMethod && name !== 'constructor' && name !== Symbol.iterator) {
        defineProperty(object, name, { value: broken });
      }
    }
  }
  if (part === 'iterators') {
    Reflect.set(Map.prototype, Symbol.iterator, null);
    Reflect.set(Set.prototype, Symbol.iterator, null);
    Reflect.set(Array.prototype, Symbol.iterator, null);
  }
  return result;
});

/** The same, and is awaited after that. */
export const ruinThenWait = task(import.meta, async (item: number) => {
  if (item !== 0) return item;
  Reflect.set(Array.prototype, Symbol.iterator, null);
  Reflect.set(Array.prototype, 'push', null);
  Reflect.set(Set.prototype, 'delete', null);
  return item;
});

/** Puts nonsense in the place of Promise, and is awaited after that. */
export const replacePromise = task(import.meta, async (item: number) => {
  Reflect.set(globalThis, 'Promise', () => 'polluted');
  return item;
});

/** Sends every word to the pool twice from now on, if it can. */
export const repeatReplies = task(import.meta, (item: number) => {
  const { writevSync } = fs;
  fs.writevSync = (...call) => {
    writevSync(...call);
    return writevSync(...call);
  };
  syncBuiltinESMExports();
  return item;
});

/** Answers with something that calls back twice. */
export const answerTwice = task(import.meta, (item: number): PromiseLike<number> => {
  // biome-ignore lint/suspicious/noThenProperty: a promise of the user's own making.
  return { then: (resolve: (value: number) => void) => void [resolve(item), resolve(-1)] } as never;
});

/** Takes so much memory outside V8's heap, and keeps it for a while. */
export const hoardBuffers = task(import.meta, async (mebibytes: number) => {
  const hoard = Array.from({ length: mebibytes }, () => Buffer.alloc(1_048_576, 1));
  if (mebibytes > 10) await sleep(60_000);
  return hoard.length;
});

/** Adds a line with its item to a file, and waits. */
export const noteThenWait = task(import.meta, async (order: { file: string; item: number; ms: number }) => {
  appendFileSync(order.file, `${process.pid} ${order.item}\n`);
  await sleep(order.ms);
  return order.item;
});

/** Never gets done, and notes that it was begun. */
export const noteThenHang = task(import.meta, (file: string): Promise<never> => {
  appendFileSync(file, `${process.pid}\n`);
  return new Promise(() => {});
});

/** Leaves a process of its own behind. */
export const leaveGrandchild = task(import.meta, () => {
  const grandchild = spawn('sleep', ['600'], { stdio: 'ignore' });
  grandchild.unref();
  return grandchild.pid;
});

export const returnBytes = task(import.meta, (count: number) => Buffer.alloc(count, 'x'));

/** Prints what it is given, in the given way. */
export const say = task(
  import.meta,
  async ({ text, how = 'log' }: { text: string; how?: 'log' | 'error' | 'pieces' | 'unfinished' }) => {
    if (how === 'log') console.log(text);
    if (how === 'error') console.error(text);
    if (how === 'unfinished') process.stdout.write(text);
    if (how === 'pieces') {
      for (const letter of text) {
        process.stdout.write(letter);
        await sleep(1);
      }
      process.stdout.write('\n');
    }
  },
);

export class QuotaError extends Error {
  override readonly name: string = 'QuotaError';
  readonly left: number;
  readonly refill: () => void = () => {};

  constructor(left: number) {
    if (typeof left !== 'number') throw new TypeError('cannot be made without a number');
    super(`${left} left`, { cause: new RangeError('the cause of it', { cause: 'the root of it' }) });
    this.left = left;
  }
}

/** Throws an error with a class, a cause and a field that cannot travel. */
export const exceedQuota = task(import.meta, (left: number): number => {
  throw new QuotaError(left);
});

export const rejectAll = task(import.meta, async (item: number): Promise<number> => {
  await sleep(1);
  throw new AggregateError([new TypeError(`first ${item}`), new RangeError(`second ${item}`)], 'both failed');
});

/** Fails, and so does tidying up after it. */
export const failTwice = task(import.meta, async (item: number): Promise<number> => {
  await using held = {
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await sleep(1);
      throw new RangeError(`tidying up ${item}`);
    },
  };
  throw Object.assign(new TypeError(`working on ${item}`), { held: held !== undefined });
});

/** Waits until it is told to stop, and says that it was. */
export const heedSignal = task(import.meta, async (item: number): Promise<number> => {
  const { signal } = current() ?? {};
  console.log(`waiting ${item}`);
  await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
  console.log(`tidied up ${item}`);
  return item;
});

/** What the initializer left behind. */
export const prepared = task(import.meta, () => ({
  worker: worker(),
  value: Reflect.get(globalThis, 'conformanceValue') as unknown,
  times: Reflect.get(globalThis, 'conformanceTimes') as unknown,
}));

export const prepare = task(import.meta, async (value: unknown) => {
  await sleep(1);
  Reflect.set(globalThis, 'conformanceValue', value);
  const times = Reflect.get(globalThis, 'conformanceTimes') as number | undefined;
  Reflect.set(globalThis, 'conformanceTimes', (times ?? 0) + 1);
});

/** An initializer that notes that it ran, and throws. */
export const noteThenThrow = task(import.meta, (file: string) => {
  appendFileSync(file, `${process.pid}\n`);
  throw new TypeError('no data');
});

export const dieAtOnce = task(import.meta, () => {
  process.exit(5);
});

/** An item of the property tests, and what its call does beside giving it back. */
export interface Deed {
  readonly item: number;
  readonly how?: 'throw' | 'throw once' | 'die once';
}

export const behave = task(import.meta, ({ item, how }: Deed): number => {
  const isFirstTry = current()?.attempt === 1;
  if (how === 'throw' || (how === 'throw once' && isFirstTry)) throw new Error(`bad ${item}`);
  if (how === 'die once' && isFirstTry) process.exit(9);
  return item;
});

export default (x: number): number => x + 1;

/** Writes past `process.stdout`, as native code does, and has a tool write there. */
export const writeNatively = task(import.meta, (item: number) => {
  writeSync(1, `native ${item}\n`);
  spawnSync(process.execPath, ['-e', `console.log('tool ${item}')`], { stdio: 'inherit' });
  return process.pid;
});

type Table = Broadcast<readonly number[]>;

export const lookUp = task(import.meta, ({ at, table }: { at: number; table: Table }) => table.value[at]);

export const sleepThenLookUp = task(import.meta, async ({ at, table }: { at: number; table: Table }) => {
  await sleep(20);
  return table.value[at];
});

export const addFromTable = task(
  import.meta,
  (a: number, table: Table, b: number) => (table.value[a] ?? 0) + (table.value[b] ?? 0),
);

export const lookUpInBoth = task(
  import.meta,
  ({ one, other }: { one: Table; other: Table }) => one.value === other.value,
);

const tables = new Set<unknown>();

/** How many objects the constants of this process were so far. */
export const readersOf = task(import.meta, ({ at, table }: { at: number; table: Table }) => {
  tables.add(table.value);
  const [first, second] = [table.value, table.value];
  const isSame = first === second;
  return { at, value: table.value[at], pid: process.pid, objects: tables.size, isSame };
});

export const killOnceThenLookUp = task(import.meta, ({ at, table }: { at: number; table: Table }) => {
  if (table.value[at] !== undefined && current()?.attempt === 1) process.kill(process.pid, 'SIGKILL');
  return table.value[at];
});

let ownTable: Table | undefined;

export const rememberTable = task(import.meta, (table: Table) => {
  ownTable = table;
});

export const remembered = task(import.meta, (at: number) => ownTable?.value[at]);

/** Throws what `AbortSignal` and `fetch` throw, or returns it within its result. */
export const abortOr = task(import.meta, (returned: boolean): unknown => {
  const error = new DOMException('gone', 'AbortError');
  if (returned) return [{ status: 'rejected', reason: error }];
  throw error;
});
