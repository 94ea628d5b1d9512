/** What the agent machine wants done, in this order. The driver does it and decides nothing. */
import type { AttemptId, ChunkId, EntryId, LinkId, SessionEndReason, SetupId } from './agent-event.ts';

/** Open a connection and its control stream. There is one at a time: an earlier one was closed, or is lost. */
export interface Dial {
  readonly type: 'dial';
  readonly link: LinkId;
}

/** An attempt that the agent holds: from the moment it reads the dispatch until the batch with the ending was taken. */
export interface HeldAttempt {
  readonly attempt: AttemptId;
  readonly epoch: number;
  readonly job: string;
  readonly first: number;
  readonly count: number;
}

/** Ask to be taken in; the first message on a link. */
export interface Join {
  readonly type: 'join';
  readonly link: LinkId;
  /** This life of the agent: the same in each join, unlike that of any other. */
  readonly instance: string;
  readonly held: readonly HeldAttempt[];
  /** The highest epoch seen; 0: none. */
  readonly epochSeen: number;
}

/** Say that the agent lives, and all that it holds. */
export interface SendHeartbeat {
  readonly type: 'sendHeartbeat';
  readonly link: LinkId;
  readonly sequence: number;
  readonly held: readonly AttemptId[];
}

/** Say that the agent takes nothing new. */
export interface AnnounceDrain {
  readonly type: 'announceDrain';
  readonly link: LinkId;
}

/** Open the data stream of the session that has begun. */
export interface OpenData {
  readonly type: 'openData';
  readonly link: LinkId;
  readonly session: number;
  readonly epoch: number;
}

/** Say `sendGranted` once the data stream has room and this turn of the event loop is over. */
export interface RequestSend {
  readonly type: 'requestSend';
  readonly link: LinkId;
}

/** A piece of news, or a part of one that is too big for a message. */
export interface Piece {
  readonly entry: EntryId;
  readonly attempt: AttemptId;
  readonly fromByte: number;
  readonly toByte: number;
  /** The next batch goes on with this entry. */
  readonly more: boolean;
}

/** Send one batch, with whatever prints wait. Its entries stay until `dropNews`. */
export interface SendBatch {
  readonly type: 'sendBatch';
  readonly link: LinkId;
  readonly sequence: number;
  readonly pieces: readonly Piece[];
}

/** End the data stream: nothing more is sent. Answered by `dataFinished`. */
export interface FinishData {
  readonly type: 'finishData';
  readonly link: LinkId;
}

/** Say good-bye and end the control stream. Answered by `linkLost`. */
export interface Leave {
  readonly type: 'leave';
  readonly link: LinkId;
}

/** Cut a connection. Nothing more is heard of it. */
export interface CloseLink {
  readonly type: 'closeLink';
  readonly link: LinkId;
}

/**
 * Have on disk whatever a job needs by now. Answered by `setupPrepared` or `setupFailed`, after which it may be asked
 * for again.
 */
export interface PrepareSetup {
  readonly type: 'prepareSetup';
  readonly setup: SetupId;
  readonly job: string;
}

/** Let go of a setup: no attempt needs it, and none will. */
export interface ReleaseSetup {
  readonly type: 'releaseSetup';
  readonly setup: SetupId;
}

/** Keep what an attempt is to run on, until `startChunk` or `dropWork`: its blocks may be forgotten meanwhile. */
export interface KeepWork {
  readonly type: 'keepWork';
  readonly attempt: AttemptId;
  readonly setup: SetupId;
  readonly job: string;
  readonly first: number;
  readonly count: number;
}

/** An attempt will not be started: let go of what was kept for it. */
export interface DropWork {
  readonly type: 'dropWork';
  readonly attempt: AttemptId;
  readonly setup: SetupId;
}

/** Give the pool a chunk. Answered by `chunkRefused`, or by news and in the end `chunkEnded`. */
export interface StartChunk {
  readonly type: 'startChunk';
  readonly chunk: ChunkId;
  readonly attempt: AttemptId;
  readonly setup: SetupId;
  readonly job: string;
  readonly first: number;
  readonly count: number;
  readonly marksStarts: boolean;
  readonly tryNumber: number;
  /** Processes that may be busy for its job's group; 0: as many as there are. */
  readonly groupSlots: number;
  /** Of several words on that the one with the highest order counts. */
  readonly order: number;
}

/** Take back what has not begun of a chunk; what runs may finish and is told. Answered by `chunkEnded`. */
export interface RecallChunk {
  readonly type: 'recallChunk';
  readonly chunk: ChunkId;
}

/** End a chunk early. Its running items have so long after their AbortSignal. Answered by `chunkEnded`. */
export interface AbortChunk {
  readonly type: 'abortChunk';
  readonly chunk: ChunkId;
  readonly graceMs: number;
}

/** Read no more results from the children: they wait when their pipe is full. */
export interface PauseChildren {
  readonly type: 'pauseChildren';
}

/** Read results again. */
export interface ResumeChildren {
  readonly type: 'resumeChildren';
}

/** Start nothing of what the pool was given and has not started. What runs goes on. */
export interface HoldStarts {
  readonly type: 'holdStarts';
}

/** Start it. */
export interface AllowStarts {
  readonly type: 'allowStarts';
}

/** The news in hand are wanted: keep them under this number. Not kept means dropped. */
export interface KeepNews {
  readonly type: 'keepNews';
  readonly entry: EntryId;
  readonly attempt: AttemptId;
  /**
   * What the entry is: what is in hand, an ending that says that the attempt was given back, or one that says why no
   * item of this job can run here: the error that `setup` failed with.
   */
  readonly content: 'inHand' | 'returned' | 'setupFailure';
  /** For `setupFailure`: whose; of what was given back: what it could not be started for, where that is why. */
  readonly setup?: SetupId;
}

/** These news were taken, or nobody wants them any more. */
export interface DropNews {
  readonly type: 'dropNews';
  readonly entries: readonly EntryId[];
}

/** The agent is over: end every child, and let go of everything. Last command. */
export interface End {
  readonly type: 'end';
  /** The code of an error that no further try could help, which is in hand; undefined: it was asked to end. */
  readonly code: string | undefined;
}

/** Worth a line in the log; no effect. */
/**
 * How a link ended: another agent has the name, the coordinator refused this one, or nobody said anything and the
 * connection is gone. The code of the error says more.
 */
export type LinkEnd = 'nameTaken' | 'refused' | 'linkLost';

export interface Note {
  readonly type: 'note';
  readonly note:
    | { readonly what: 'joined'; readonly session: number; readonly epoch: number; readonly held: number }
    | {
        /** A link or a session is over; the next try comes in `waitMs`. */
        readonly what: 'disconnected';
        readonly failures: number;
        readonly waitMs: number;
        /** Why: as the coordinator said, for the error in hand, or as this machine judged. */
        readonly why: SessionEndReason | LinkEnd | 'joinUnanswered' | 'unanswered' | 'epochPast';
        readonly silentForMs: number;
      }
    | { readonly what: 'fenced'; readonly silentForMs: number }
    | { readonly what: 'answered' }
    | { readonly what: 'abandoned'; readonly attempts: number; readonly silentForMs: number }
    | { readonly what: 'dispatchIgnored'; readonly attempt: AttemptId }
    | { readonly what: 'draining'; readonly attempts: number }
    | { readonly what: 'givenBack'; readonly attempts: number };
}

/** Everything the machine can ask for. */
export type AgentCommand =
  | Dial
  | Join
  | SendHeartbeat
  | AnnounceDrain
  | OpenData
  | RequestSend
  | SendBatch
  | FinishData
  | Leave
  | CloseLink
  | PrepareSetup
  | ReleaseSetup
  | KeepWork
  | DropWork
  | StartChunk
  | RecallChunk
  | AbortChunk
  | PauseChildren
  | ResumeChildren
  | HoldStarts
  | AllowStarts
  | KeepNews
  | DropNews
  | End
  | Note;
