import type { StoredFailure } from '../messages.ts';

/** An outcome as the user gets it. */
export type Received =
  | { readonly index: number; readonly execution: number }
  | { readonly index: number; readonly failure: StoredFailure };

/** How a job ended for the one who asked for it. */
export type JobFate =
  | { readonly kind: 'ended'; readonly state: string; readonly failedIndex: number | undefined }
  | { readonly kind: 'lost'; readonly why: string }
  | { readonly kind: 'left' };
