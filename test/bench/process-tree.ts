import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts CPU time in these, on every Linux that there is. */
const tickMs = 10;

interface Row {
  readonly pid: number;
  readonly parent: number;
  /** Of itself and of children that have ended and been waited for. */
  readonly cpuMs: number;
}

/** CPU time that this process and all that it has started have taken so far (Linux). */
export function treeCpuMs(root: number = process.pid): number {
  const childrenOf = Map.groupBy(rows(), ({ parent }) => parent);
  const all = [...childrenOf.values()].flat();
  const sum = ({ pid, cpuMs }: Row): number =>
    (childrenOf.get(pid) ?? []).reduce((total, child) => total + sum(child), cpuMs);
  const own = all.find(({ pid }) => pid === root);
  if (own === undefined) throw new Error(`no process ${root}`);
  return sum(own);
}

function rows(): Row[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        // The name of the program comes second, in parentheses, and may hold anything.
        const fields = stat
          .slice(stat.lastIndexOf(')') + 2)
          .split(' ')
          .map(Number);
        const [parent = 0, ticks] = [fields[1], fields.slice(11, 15).reduce((a, b) => a + b, 0)];
        return [{ pid: Number(name), parent, cpuMs: ticks * tickMs }];
      } catch {
        // It has ended meanwhile.
        return [];
      }
    });
}
