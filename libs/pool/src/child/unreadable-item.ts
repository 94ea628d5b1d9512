/** An item that never became a value: the function is not called for it, and nothing that it threw is to be looked for. */
import type { BlockMessage } from './message.ts';

/** What is wrong, as the facts of VALUE_NOT_PORTABLE say it. */
export interface UnreadableFacts extends Readonly<Record<string, string>> {
  readonly what: string;
  readonly path: string;
  readonly kind: string;
}

export class UnreadableItem extends Error {
  readonly #facts: UnreadableFacts;

  private constructor(facts: UnreadableFacts) {
    super(`${facts.what} cannot be sent: ${facts.path} is ${facts.kind}. Send plain data.`);
    this.#facts = facts;
  }

  /** Its own bytes are no value. */
  static alone(index: number, encoding: BlockMessage['encoding'], error: unknown): UnreadableItem {
    // A hole among structured clones is an item that the caller could not encode, and knows why.
    const kind = encoding === 'json' ? `no JSON (${reasonOf(error)})` : 'no value';
    return new UnreadableItem({ what: `Item ${index}`, path: 'it', kind });
  }

  /** The bytes of all `count` items of its block are none. */
  static withBlock(index: number, count: number, error: unknown): UnreadableItem {
    const kind = `no list of ${count} values (${reasonOf(error)})`;
    return new UnreadableItem({ what: `Item ${index}`, path: 'its block', kind });
  }

  /** The facts of what was thrown, where it is one of these; nothing of it is run to find out, for a task may have made it. */
  static factsOf(thrown: unknown): UnreadableFacts | undefined {
    return typeof thrown === 'object' && thrown !== null && #facts in thrown ? thrown.#facts : undefined;
  }
}

/** Without its full stop. By hand: a task may have replaced what texts can do. */
function reasonOf(error: unknown): string {
  if (error === undefined) return 'unknown why';
  const { message } = error as Error;
  const last = message.length - 1;
  if (message[last] !== '.') return message;
  let text = '';
  for (let at = 0; at < last; at++) text += message[at];
  return text;
}
