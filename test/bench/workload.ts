import { differentItems, Fingerprint, itemOf, type TaskName } from './items.ts';
import type { Mode, Peer, Setting } from './peer.ts';
import { tasks } from './tasks.js';

/** What a workload's figure is, made of what its processes measured. */
export type FigureName =
  /** Items a second; measured in milliseconds. */
  | 'rate'
  /** What bare processes need for the same work, in percent of what this one needed; measured in milliseconds. */
  | 'efficiency'
  /** Milliseconds. */
  | 'time'
  /** Mebibytes; measured in bytes. */
  | 'memory';

/** One line of a workload's table. The first one is Shoal. */
export interface Contender {
  readonly peer: Peer;
  readonly mode: Mode;
  /** How it is called where that differs from its peer. */
  readonly label?: string;
  /** Its part of the items: the slow ones would take minutes. Rates are rates. Default 1. */
  readonly share?: number;
  /** For `efficiency`: the contender that is 100 % for it. */
  readonly ideal?: string;
  /** What measures it, where that is not the peer's usual process. */
  readonly command?: (setting: Setting) => readonly string[];
}

/** What Shoal should reach: so many times the figure of another contender, or a figure of its own. */
export type Goal =
  | { readonly against: string; readonly atLeast: number }
  | { readonly atLeast: number }
  | { readonly atMost: number };

/** Something to be done by everybody, and its results checked. */
export interface Workload {
  /** On the command line. */
  readonly name: string;
  readonly title: string;
  readonly figure: FigureName;
  readonly task: TaskName;
  /** Default: a map on a warm pool. */
  readonly times?: Setting['times'];
  readonly items: { readonly full: number; readonly small: number };
  /**
   * Items that are run before, unmeasured, by everybody; by whom has a smaller share of the items, at most that. Default: a
   * whole map, for pools are in use for hours, and a young process spends half of a short map in its compiler.
   */
  readonly warmUpItems?: number;
  /** How long everybody rests after that, for processes that are still on their way. Default: 0. */
  readonly restMs?: number;
  readonly contenders: readonly Contender[];
  readonly goals: readonly Goal[];
}

/** How a contender is called. */
export const nameOf = ({ label, peer }: Contender): string => label ?? peer.name;

/** What one machine and one call of the harness have in common for all measurements. */
export interface Scale {
  readonly small: boolean;
  readonly processes: number;
  /** How many rounds of `hash` take a millisecond here. */
  readonly rounds: number;
}

/** Items that are done before, unmeasured, by who has all of them; none where a start is measured, or memory. */
export function warmUpOf(workload: Workload, { small, processes }: Scale): number {
  const { times = 'map', contenders } = workload;
  if (times !== 'map' || contenders.every(({ command }) => command !== undefined)) return 0;
  const whole = small ? workload.items.small : workload.items.full;
  const enough = Math.min(whole, workload.warmUpItems ?? whole);
  return small ? Math.min(processes, enough) : enough;
}

/** What a measuring process is told. */
export function settingOf(workload: Workload, contender: Contender, scale: Scale): Setting {
  const { small, processes, rounds } = scale;
  const whole = small ? workload.items.small : workload.items.full;
  const items = Math.ceil(whole * (small ? 1 : (contender.share ?? 1)));
  const { task, times = 'map' } = workload;
  const restMs = small ? 0 : (workload.restMs ?? 0);
  const warmUpItems = Math.min(items, warmUpOf(workload, scale));
  return { task, mode: contender.mode, items, warmUpItems, restMs, processes, rounds, times };
}

/** The fingerprint of what must come out: the task, called for one item after the other. */
export function expectedDigest({ task, items, rounds }: Setting): string {
  const call: (item: never) => unknown = tasks[task];
  const fingerprint = new Fingerprint();
  const different = differentItems(task);
  // Twenty thousand items of a millisecond would take twenty seconds, and 256 are all there are.
  const known: unknown[] = [];
  for (let index = 0; index < items; index += 1) {
    const result = known[index % different] ?? call(itemOf(task, index, rounds) as never);
    if (different < items) known[index % different] = result;
    fingerprint.add(result);
  }
  return fingerprint.digest();
}
