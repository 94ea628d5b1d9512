/** What travels between the simulated machines: the messages of shoal.v1, as far as the cores know them. */

import type { HeldAttempt } from '@shoal/node-agent/core';
import type { AttemptEnding, AttemptFact } from '@shoal/scheduler';
import type { Peer } from '../../libs/protocol/src/gen/shoal/v1/common.ts';
import type { TriedItem } from './execution.ts';

/** Items, or the results of items: the bytes are opaque to all but client and child. */
export interface Bytes {
  readonly first: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

// -- an agent's control stream -----------------------------------------------------------------------------------

export type ControlUp =
  | {
      readonly kind: 'join';
      readonly agent: string;
      readonly peer: Peer;
      readonly instance: string;
      readonly slots: number;
      readonly labels: Readonly<Record<string, string>>;
      readonly keepsGroupSlots: boolean;
      readonly held: readonly HeldAttempt[];
      readonly epochSeen: number;
    }
  | { readonly kind: 'heartbeat'; readonly sequence: number; readonly held: readonly number[] }
  | { readonly kind: 'slotsChanged'; readonly slots: number }
  | { readonly kind: 'draining' }
  | { readonly kind: 'leaving' };

export type ControlDown =
  | {
      readonly kind: 'joined';
      readonly session: number;
      readonly epoch: number;
      readonly heartbeatMs: number;
      readonly leaseMs: number;
      readonly selfFenceMs: number;
      readonly abandonMs: number;
      readonly drop: readonly number[];
    }
  | { readonly kind: 'refused'; readonly code: string }
  | {
      readonly kind: 'heartbeatAnswer';
      readonly sequence: number;
      readonly drop: readonly number[];
      readonly heartbeatMs: number;
      readonly leaseMs: number;
    }
  | { readonly kind: 'revoke'; readonly attempt: number }
  | { readonly kind: 'recall'; readonly attempt: number }
  | { readonly kind: 'sessionEnded'; readonly reason: 'superseded' | 'silent' | 'drained' | 'shutdown' };

// -- an agent's data stream --------------------------------------------------------------------------------------

/** One piece of news of an attempt. */
export type News =
  | {
      readonly kind: 'run';
      readonly first: number;
      readonly count: number;
      readonly bytes: Uint8Array;
      readonly runMs: number;
      readonly pid: number;
    }
  | { readonly kind: 'failure'; readonly tried: TriedItem; readonly fact: AttemptFact }
  | { readonly kind: 'ended'; readonly ending: AttemptEnding };

/** News, or a part of a run that is too big for one message. */
export interface Report {
  readonly attempt: number;
  readonly news: News;
  readonly fromByte: number;
  readonly toByte: number;
  readonly more: boolean;
}

export type DataUp =
  | { readonly kind: 'hello'; readonly session: number; readonly epoch: number }
  | { readonly kind: 'batch'; readonly sequence: number; readonly reports: readonly Report[] }
  | { readonly kind: 'end' };

export interface Handover {
  readonly attempt: number;
  readonly job: string;
  readonly first: number;
  readonly count: number;
  readonly marksStarts: boolean;
  readonly tryNumber: number;
  readonly groupSlots: number;
  readonly blocks: readonly Bytes[];
}

export type DataDown =
  | {
      readonly kind: 'work';
      readonly taken: number;
      readonly setups: readonly string[];
      readonly handovers: readonly Handover[];
      readonly forgotten: readonly string[];
    }
  | { readonly kind: 'end' };

// -- a client's calls --------------------------------------------------------------------------------------------

/** An outcome as a client reads it. */
export type OutcomeMessage =
  | {
      readonly kind: 'run';
      readonly first: number;
      readonly count: number;
      /** Bytes of the values before the first one. */
      readonly skip: number;
      readonly bytes: Uint8Array;
      readonly more: boolean;
    }
  | { readonly kind: 'failure'; readonly index: number; readonly failure: StoredFailure };

/** A failure that stands, as the coordinator keeps it. */
export interface StoredFailure {
  readonly index: number;
  readonly kind: 'thrown' | 'crash' | 'timeout' | 'lost';
  readonly attempts: readonly AttemptFact[];
  /** What was thrown, for a failure with an error. */
  readonly error: Uint8Array | undefined;
}

export interface CallError {
  readonly code: string;
  readonly next?: number;
}

export type ReadDown =
  | { readonly kind: 'batch'; readonly position: number; readonly outcomes: readonly OutcomeMessage[] }
  | { readonly kind: 'granted'; readonly upTo: number }
  | { readonly kind: 'ended'; readonly state: string; readonly failedIndex: number | undefined }
  | { readonly kind: 'failed'; readonly error: CallError };

export type WriteUp =
  | {
      readonly kind: 'start';
      readonly job: string;
      readonly session: string;
      readonly stream: number;
      readonly firstIndex: number;
    }
  | { readonly kind: 'block'; readonly block: Bytes }
  | { readonly kind: 'endOfInput'; readonly totalItems: number };

export type WriteDown =
  | { readonly kind: 'done'; readonly acceptedItems: number }
  | { readonly kind: 'failed'; readonly error: CallError };

/** Calls with one answer. */
export type AskUp =
  | { readonly kind: 'create'; readonly requestId: string; readonly name: string }
  | {
      readonly kind: 'acknowledge';
      readonly job: string;
      readonly session: string;
      readonly position: number;
    }
  | { readonly kind: 'cancel'; readonly job: string; readonly reason: string }
  | { readonly kind: 'getJob'; readonly job: string };

export type AskDown =
  | { readonly kind: 'created'; readonly job: string }
  | { readonly kind: 'done' }
  | { readonly kind: 'input'; readonly acceptedItems: number; readonly inputEnded: boolean }
  | { readonly kind: 'failed'; readonly error: CallError };

export interface ReadUp {
  readonly job: string;
  readonly session: string;
  /** Which of the session's streams it is, rising. */
  readonly stream: number;
  readonly fromPosition: number;
}
