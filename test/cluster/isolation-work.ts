/** What a task can do to the machine that it runs on, tried. */
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { task } from 'shoal';

/** Where things lie that it should not get at. */
export interface Goal {
  /** A file that its agent's user alone can read. */
  readonly secret: string;
  /** A folder that its agent's user can write. */
  readonly folder: string;
}

const trying = (deed: () => unknown): string => {
  try {
    deed();
    return 'done';
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code ?? (error as Error).message);
  }
};

const status = (name: string): string =>
  new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';

/** What becomes of each attempt: `done`, or the code of its error. */
export const attempts = task(import.meta, ({ secret, folder }: Goal) => ({
  readsSecret: trying(() => readFileSync(secret)),
  writesElsewhere: trying(() => writeFileSync(join(folder, `plain-${process.pid}`), 'x')),
  writesBySqlite: trying(() => {
    const database = new DatabaseSync(join(folder, `sqlite-${process.pid}`));
    database.exec('CREATE TABLE t (x)');
    database.close();
  }),
  writesAtWork: trying(() => writeFileSync('own', 'x')),
  writesTemporary: trying(() => writeFileSync(join(tmpdir(), `shoal-temporary-${process.pid}`), 'x')),
  startsProcess: trying(() => {
    const { error } = spawnSync('/bin/true');
    if (error !== undefined) throw error;
  }),
  startsThread: trying(() => void new Worker('0', { eval: true }).terminate()),
}));

/** What it is. */
export const facts = task(import.meta, () => ({
  cwd: process.cwd(),
  files: readdirSync('.'),
  env: Object.keys(process.env).toSorted(),
  uid: process.getuid?.(),
  groups: process.getgroups?.(),
  noNewPrivileges: status('NoNewPrivs'),
  capabilities: status('CapEff'),
  isLeader: process.pid === Number(readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ')[2]),
  descriptors: readdirSync('/proc/self/fd')
    .map((fd) => linkOr(() => readlinkSync(`/proc/self/fd/${fd}`)))
    .filter((link) => link.startsWith('/') && !link.startsWith('/proc/') && !link.startsWith('/dev/')),
  interfaces: existsSync('/sys/class/net') ? readdirSync('/sys/class/net') : [],
}));

const linkOr = (deed: () => string): string => {
  try {
    return deed();
  } catch {
    return '';
  }
};

/** What it reads from a descriptor and writes to it, without having opened anything. */
export const readsDescriptor = task(import.meta, (fd: number) => {
  const bytes = Buffer.alloc(64);
  const read = trying(() => readSync(fd, bytes, 0, bytes.length, 0));
  return `${read} ${trying(() => writeSync(fd, 'overwritten', 0))} ${bytes.toString().replaceAll('\0', '')}`;
});

/** Starts what goes on in a session of its own, and says its number. */
export const leaveBehind = task(import.meta, () => {
  const left = spawn('/bin/sleep', ['600'], { detached: true, stdio: 'ignore' });
  left.unref();
  return left.pid ?? 0;
});

const kept: Buffer[] = [];

/** Takes so much memory and keeps it; what is more than it could ever have, until it is killed for it, and not for long. */
export const takesMemory = task(import.meta, (mebibytes: number) => {
  kept.push(Buffer.alloc(mebibytes * 2 ** 20, 1));
  const until = performance.now() + (mebibytes > 300 ? 30_000 : 0);
  while (performance.now() < until) Math.sqrt(2);
  return { mebibytes, pid: process.pid };
});
