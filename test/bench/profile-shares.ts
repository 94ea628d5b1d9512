/**
 * What the processes of a job did while they were busy: `node test/bench/profile-shares.ts DIR`, after
 * `node --conditions=@shoal/source --cpu-prof --cpu-prof-dir=DIR test/bench/hops.ts --only NAME`, which has them run from source.
 *
 * Of each kind of process the share of each part in the samples that were not idle. A call into Node or the kernel counts
 * for the JavaScript that made it. Starting a process is in it, but for children, whose profiles begin when they load the task.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { optionsAndFolderOf } from './options.ts';

/** As Node writes it. */
interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The first that fits. */
const parts: readonly (readonly [part: string, url: RegExp])[] = [
  ['gRPC', /node_modules\/(@grpc|@js-sdsl)\//],
  ['codec', /libs\/protocol\/|node_modules\/@bufbuild\//],
  ['clone', /^node:v8/],
  [
    'start',
    /^node:(internal\/(modules|bootstrap|main|vm|deps|process\/(?!task_queues))|vm|module)|esbuild|commander/,
  ],
  ['HTTP/2, sockets', /^node:/],
  ['our code', /./],
];
const columns = [...new Set(parts.map(([part]) => part)), 'garbage', 'native'];

const kinds: readonly (readonly [kind: string, url: RegExp])[] = [
  ['client', /test\/bench\/hops\.ts$/],
  ['coordinator', /apps\/coordinator\/src\//],
  ['agents', /apps\/node-agent\/src\//],
];
/** What a child wrote it says by its name: which functions a short profile has met is luck. */
const [children, childFile] = ['children', /^child-/];

/** Microseconds of each part. */
function timesOf({ nodes, samples, timeDeltas }: Profile): Map<string, number> {
  const partOf = new Map<number, string>();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const visit = (id: number, callers: string): void => {
    const node = byId.get(id);
    if (node === undefined) return;
    const { functionName, url } = node.callFrame;
    const own = parts.find(([, pattern]) => pattern.test(url))?.[0] ?? callers;
    // The inspector is there for the profile alone.
    if (functionName === '(idle)' || url === 'node:inspector') partOf.set(id, 'idle');
    else partOf.set(id, functionName === '(garbage collector)' ? 'garbage' : own);
    for (const child of node.children ?? []) visit(child, own);
  };
  const [root] = nodes;
  if (root !== undefined) visit(root.id, 'native');
  const times = new Map<string, number>();
  for (const [at, sample] of samples.entries()) {
    const part = partOf.get(sample) ?? 'native';
    times.set(part, (times.get(part) ?? 0) + (timeDeltas[at] ?? 0));
  }
  times.delete('idle');
  return times;
}

const { folder } = optionsAndFolderOf({}, 'of .cpuprofile files');
const sums = new Map<string, Map<string, number>>();
for (const file of readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'))) {
  const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile;
  const isThere = (pattern: RegExp): boolean =>
    profile.nodes.some(({ callFrame }) => pattern.test(callFrame.url));
  const kind = childFile.test(file) ? children : kinds.find(([, pattern]) => isThere(pattern))?.[0];
  if (kind === undefined) continue;
  const sum = sums.get(kind) ?? new Map<string, number>();
  for (const [part, time] of timesOf(profile)) sum.set(part, (sum.get(part) ?? 0) + time);
  sums.set(kind, sum);
}
console.log(`| busy with | ${columns.join(' | ')} |\n| :-- | ${columns.map(() => '--:').join(' | ')} |`);
for (const kind of [...kinds.map(([each]) => each), children]) {
  const times = sums.get(kind);
  if (times === undefined) continue;
  const whole = [...times.values()].reduce((sum, each) => sum + each, 0);
  const cells = columns.map((part) => `${Math.round((100 * (times.get(part) ?? 0)) / whole)} %`);
  console.log(`| ${kind} | ${cells.join(' | ')} |`);
}
