/**
 * Whether a fork server still answers. It does one thing after another, so whatever it says shows that it is alive; and a child that
 * takes long to die (it holds much memory, hangs in the kernel, is traced) is no fault of its server: that is asked, and nobody else
 * loses anything as long as it answers.
 */

/** From an order, or a question, to the next word of the server; then it is stopped or stuck, and of no use. */
export const answerMs = 10_000;

export class ServerAnswers {
  /** Orders and questions that it has not answered. */
  #open = 0;
  /** When it was heard last, or the first of what is open was sent. */
  #sinceMs = 0;
  /** When it was asked last for one of {@link #dying}. */
  #askedAtMs = 0;
  /** Killed, and their end not told. */
  readonly #dying = new Set<number>();

  /** It was sent an order or a question. */
  ordered(atMs: number): void {
    if (this.#open === 0) this.#sinceMs = atMs;
    this.#open += 1;
  }

  /** It has answered an order or a question. */
  answered(atMs: number): void {
    this.#open -= 1;
    this.#sinceMs = atMs;
  }

  /** A child of it was killed. True: it is to be asked, for nothing else waits for its answer. */
  killed(pid: number, atMs: number): boolean {
    this.#dying.add(pid);
    if (this.#open > 0) return false;
    this.#askedAtMs = atMs;
    return true;
  }

  /** It has told the end of a child. */
  ended(pid: number, atMs: number): void {
    this.#dying.delete(pid);
    this.#sinceMs = atMs;
  }

  /** When {@link passed} has to be called at the latest; undefined: no need for it. */
  nextDeadlineMs(): number | undefined {
    if (this.#open > 0) return this.#sinceMs + answerMs;
    return this.#dying.size > 0 ? this.#askedAtMs + answerMs : undefined;
  }

  /** Time has passed. `stuck`: it does not answer any more; `ask`: it is to be asked again. */
  passed(atMs: number): 'stuck' | 'ask' | undefined {
    const deadlineMs = this.nextDeadlineMs();
    if (deadlineMs === undefined || atMs < deadlineMs) return undefined;
    if (this.#open > 0) return 'stuck';
    this.#askedAtMs = atMs;
    return 'ask';
  }
}
