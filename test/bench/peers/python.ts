import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Peer } from '../peer.ts';

/** Debian's own Python knows Debian's packages, whatever other python3 comes first on the PATH. */
const candidates = ['python3', '/usr/bin/python3'];

/** A peer in Python, before it is looked for. */
interface PythonPeer {
  /** In this folder; it does what measure.ts does. */
  readonly file: string;
  /** What it imports. */
  readonly modules: string;
  /** An expression for its version. */
  readonly version: string;
  /** What to do where no Python has the modules. */
  readonly install: string;
  /** What else has to be there. */
  readonly needs?: Peer['find'];
  /** Where it is not run as `python3 FILE SETTING`. */
  readonly argv?: (python: string, script: string, setting: string, processes: number) => readonly string[];
}

/** The first Python that can import these modules, and what it says of them. */
function pythonWith({ modules, version }: PythonPeer): { path: string; version: string } | undefined {
  for (const path of candidates) {
    const code = `import ${modules}\nprint(${version})`;
    const { status, stdout } = spawnSync(path, ['-c', code], { encoding: 'utf8', timeout: 60_000 });
    if (status === 0) return { path, version: stdout.trim() };
  }
  return undefined;
}

/** A peer in Python; looked for once, when somebody asks. */
export function pythonPeer(name: string, peer: PythonPeer): Peer {
  const script = fileURLToPath(new URL(peer.file, import.meta.url));
  let found: ReturnType<typeof pythonWith>;
  const look = () => {
    found ??= pythonWith(peer);
    return found;
  };
  return {
    name,
    find: () => {
      const needs = peer.needs?.();
      if (needs !== undefined && 'missing' in needs) return needs;
      const python = look();
      if (python === undefined) return { missing: `no python3 here can import it (${peer.install})` };
      return { version: python.version };
    },
    command: (setting) => {
      const python = look()?.path ?? 'python3';
      const json = JSON.stringify(setting);
      return peer.argv?.(python, script, json, setting.processes) ?? [python, script, json];
    },
  };
}
