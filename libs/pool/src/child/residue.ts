/**
 * What in this process a copy of it would lack or share: other threads, open files and sockets, timers, children. A copy
 * has one thread, and descriptors that are the same open file as everybody else's.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Node's own, which do nothing for a process with --single-threaded, or are started anew in a copy (libuv). */
const ownThreads = new Set(['DelayedTaskSche', 'V8Worker', 'SignalInspector', 'libuv-worker']);
/** Node's own, which a copy makes anew, and what is no harm to share. */
const harmless =
  /^(?:anon_inode:\[(?:eventpoll|eventfd|io_uring)\]|pipe:\[\d+\]|\/dev\/(?:null|u?random)|\/proc\/\d+\/fd)$/;
/** stdin, stdout, stderr and the control socket: a copy gets others in their place. */
const replacedMax = 3;
/** Where the loop has still to tell of what is done; and its stdout and stderr, for any other pipe is a descriptor too. */
const passing = new Set(['CloseReq', 'PipeWrap', 'Immediate', 'TickObject', 'Microtask']);

/** What begins on loading may take so long to be done: a new thread has not even its name at once. */
const settleMs = 1_000;
const lookMs = 10;

/**
 * The first thing found, as a part of a sentence ("a thread (sharp)"), and not gone soon; undefined where there is none.
 * `leftTimer`: whether there is a timer that keeps no process alive, of which Node tells nothing.
 */
export async function residue(leftTimer: () => boolean = () => false): Promise<string | undefined> {
  for (let waited = 0; ; waited += lookMs) {
    const found = look() ?? (leftTimer() ? 'a timer' : undefined);
    if (found === undefined || waited >= settleMs) return found;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

function look(): string | undefined {
  return strangeThread() ?? openDescriptor() ?? activeResource() ?? child();
}

function strangeThread(): string | undefined {
  for (const thread of readdirSync('/proc/self/task')) {
    const name = read(`/proc/self/task/${thread}/comm`)?.trim();
    // It has ended meanwhile, or is the one that is copied.
    if (name === undefined || Number(thread) === process.pid) continue;
    if (!ownThreads.has(name)) return `a thread (${name})`;
  }
  return undefined;
}

function openDescriptor(): string | undefined {
  for (const descriptor of readdirSync('/proc/self/fd')) {
    if (Number(descriptor) <= replacedMax) continue;
    const target = linkOf(`/proc/self/fd/${descriptor}`);
    if (target === undefined || harmless.test(target)) continue;
    return target.startsWith('socket:') ? 'an open socket' : `an open file (${target})`;
  }
  return undefined;
}

function activeResource(): string | undefined {
  const active = process.getActiveResourcesInfo().find((name) => !passing.has(name));
  return active === undefined ? undefined : `something that it waits for (${active})`;
}

function child(): string | undefined {
  const children = read(`/proc/self/task/${process.pid}/children`)?.trim();
  return children === undefined || children === '' ? undefined : 'a child process';
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
