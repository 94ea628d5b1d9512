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

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
