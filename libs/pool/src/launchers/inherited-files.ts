/** Keeps files from children that somebody opened before this process began: a shell's `exec 200<>lock`, say. */
import type { IOType } from 'node:child_process';
import { openSync, readdirSync, readFileSync } from 'node:fs';

/** Where Linux tells what a process has open; elsewhere nothing is known, and Node alone closes what it finds. */
const ownFiles = '/proc/self/fd';
/** O_CLOEXEC, of every Linux that Node runs on. */
const closedAtStart = 0o2000000;

/** What `stdio` of a child may be where nothing is shared with it but what stands there. */
export type Stdio = readonly (IOType | number | null | undefined)[];

/**
 * `stdio` for a child that gets nothing but what stands there: `/dev/null` takes the place of what it would inherit.
 *
 * Node opens its own files so that they end with it. Of those that it was born with it closes the low numbers, up to
 * the first gap; a child would have the others, with the rights of whoever opened them, whatever user it is.
 */
export function withoutInherited(stdio: Stdio): (IOType | number | null | undefined)[] {
  if (inherited === undefined) {
    inherited = filesAtStart();
    if (inherited.length > 0) filesMax = limitOfFiles();
  }
  const closed = [...stdio];
  if (inherited.length === 0) return closed;
  for (const fd of inherited) {
    // One that was closed since may be one of Node's own now, which it keeps to itself.
    if (fd < stdio.length || fd >= filesMax || !isInherited(fd)) continue;
    nothing ??= openSync('/dev/null', 'r+');
    while (closed.length < fd) closed.push('ignore');
    closed[fd] = nothing;
  }
  return closed;
}
/** By number, as they were when the first child was started; in the order of their numbers. */
let inherited: readonly number[] | undefined;
let nothing: number | undefined;
/** Nothing can be put where a descriptor would be at or above the limit of them; one that was there before stays. */
let filesMax: number = Number.POSITIVE_INFINITY;

/** Descriptors whose place nothing can take: a child is told to close them, before anything of the user's runs in it. */
export function leftFiles(): { readonly SHOAL_OWN_CLOSE?: string } {
  const left = (inherited ?? []).filter((fd) => fd >= filesMax && isInherited(fd));
  return left.length === 0 ? {} : { SHOAL_OWN_CLOSE: left.join() };
}

function filesAtStart(): readonly number[] {
  try {
    return readdirSync(ownFiles)
      .map(Number)
      .filter((fd) => fd > 2 && isInherited(fd))
      .toSorted((one, other) => one - other);
  } catch {
    // Not Linux, or this process may not look: its permissions end at what it may read.
    return [];
  }
}

/** Whether a child would have it. */
function isInherited(fd: number): boolean {
  try {
    const [, flags = ''] = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
    return flags !== '' && (Number.parseInt(flags, 8) & closedAtStart) === 0;
  } catch {
    return false;
  }
}

/** The soft limit, which cannot be exceeded (`ulimit -n`). */
function limitOfFiles(): number {
  try {
    const [, soft = ''] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === '' ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
