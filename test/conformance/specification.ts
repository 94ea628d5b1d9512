import { describe, test } from 'vitest';
import type { OpenPool } from './pool-under-test.ts';

/** What the suite is held against. */
export type PoolKind = 'local pool' | 'cluster' | 'containers';

/** What a case has: a way to open pools, and what they are. */
export interface Given {
  readonly open: OpenPool;
  readonly kind: PoolKind;
}

/** One sentence of the specification, and how it is tried. */
export interface Case {
  readonly sentence: string;
  readonly attempt: (given: Given) => Promise<void>;
  /** Where it cannot be tried, and why. */
  readonly except: Except;
}

export type Except = Readonly<Partial<Record<PoolKind, string>>>;

/** The cases of one subject. */
export interface Chapter {
  readonly subject: string;
  readonly cases: readonly Case[];
}

export type Specify = (sentence: string, attempt: (given: Given) => Promise<void>, except?: Except) => void;

/** For cases whose functions write files that the case then reads. */
export const sharesNoFiles: Except = { containers: 'their files are not ours' };
/** For cases that look at processes by pid. */
export const sharesNoPids: Except = { containers: 'their processes have pids of their own' };
/** For cases that count the processes of a pool of one: a slot of two agents is on either. */
export const isOneMachine: Except = { containers: 'one slot at a time may be of either agent' };

/** For cases that count deaths: those that earlier cases caused are heard of late. */
export const countsDeaths: Except = { containers: 'the deaths of other pools are counted too' };

/** For cases about which items go where and when. */
export const isScheduled: Except = {
  containers: 'the coordinator decides it, as over the loopback interface',
};

/** Gathers the cases of a subject. */
export function chapter(subject: string, write: (specify: Specify) => void): Chapter {
  const cases: Case[] = [];
  write((sentence, attempt, except = {}) => cases.push({ sentence, attempt, except }));
  return { subject, cases };
}

/** Holds a kind of pool to every case. */
export function hold(kind: PoolKind, chapters: readonly Chapter[], open: OpenPool): void {
  for (const { subject, cases } of chapters) {
    describe(subject, () => {
      for (const { sentence, attempt, except } of cases) {
        if (except[kind] === undefined) test(sentence, () => attempt({ open, kind }));
      }
    });
  }
}
