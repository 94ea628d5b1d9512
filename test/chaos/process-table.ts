import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The sockets that a process holds: TCP connections by their state, and how many others. */
export interface Sockets {
  /** Connections that are not just a listening port, of whatever state. */
  readonly connections: number;
  /** Pipes to children and the like. */
  readonly others: number;
}

const listening = '0A';

/** What a process holds open now, as the kernel sees it. */
export function socketsOf(pid: number): Sockets {
  const inodes = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  let tcp = 0;
  let connections = 0;
  for (const table of ['tcp', 'tcp6']) {
    for (const line of readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1)) {
      const [, , , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      if (!inodes.has(inode)) continue;
      tcp += 1;
      if (state !== listening) connections += 1;
    }
  }
  return { connections, others: inodes.size - tcp };
}

/** What a process needs of the machine. */
export interface Needs {
  readonly pid: number;
  /** Resident memory. */
  readonly rssMiB: number;
  /** Open file descriptors, of whatever kind. */
  readonly descriptors: number;
}

/** What a process needs now; undefined when it has ended. */
export function needsOf(pid: number): Needs | undefined {
  try {
    const kiB = /^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    // A zombie has no memory.
    if (kiB === undefined) return undefined;
    return { pid, rssMiB: Number(kiB) / 1024, descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}

/** The processes that these ones have started and that run one of our programs, such as `child-main`. */
export function startedBy(parents: readonly number[], program: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        return parents.includes(parent) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(program);
      } catch {
        return false;
      }
    });
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
