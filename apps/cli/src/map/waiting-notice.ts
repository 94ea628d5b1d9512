/** A pause between two shards is nobody's business; one that lasts so long is. */
const noticeAfterMs = 1500;

/** `waits for its input`; with a reason that is no sentence of its own, `waits: all slots busy`. */
export const waitingText = (reason: string): string =>
  reason.startsWith('waits ') ? reason : `waits: ${reason}`;

/** Says once why a job stands still, when it has done so for a while: no job waits silently. */
export class WaitingNotice {
  readonly #say: (text: string) => void;
  #reason: string | undefined;
  #said: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  /** The job waits for this; undefined: it runs. */
  waiting(reason: string | undefined): void {
    this.#reason = reason;
    if (reason === undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      // The number of items in the reason changes; the news does not.
      const news = this.#reason?.replace(/[\d,]+/g, '');
      if (this.#reason === undefined || news === this.#said) return;
      this.#said = news;
      this.#say(`shoal: the job ${waitingText(this.#reason)}`);
    }, noticeAfterMs).unref();
  }
}
