import type { Identity } from './identity.ts';

/** Whose something is: jobs, groups of processes, sessions of agents. Pure, and bounded: the oldest go first. */
export class OwnerBook<Key> {
  readonly #owners = new Map<Key, string>();
  readonly #entriesMax: number;
  readonly #isOver: (key: Key) => boolean;

  /** Beyond `entriesMax` those go first of which `isOver` says that nobody can ask for them any more. */
  constructor(entriesMax: number, isOver: (key: Key) => boolean = () => false) {
    this.#entriesMax = entriesMax;
    this.#isOver = isOver;
  }

  /** Whoever claims something first owns it. Returns whether it is the caller's. */
  claim(key: Key, { id }: Identity): boolean {
    const owner = this.#owners.get(key);
    if (owner !== undefined) return owner === id;
    if (this.#owners.size >= this.#entriesMax) this.#makeRoom();
    this.#owners.set(key, id);
    return true;
  }

  isOwnedBy(key: Key, { id }: Identity): boolean {
    return this.#owners.get(key) === id;
  }

  /** Its owner's id; undefined for what nobody has claimed. */
  ownerOf(key: Key): string | undefined {
    return this.#owners.get(key);
  }

  #makeRoom(): void {
    for (const key of this.#owners.keys()) if (this.#isOver(key)) this.#owners.delete(key);
    for (const key of this.#owners.keys()) {
      if (this.#owners.size < this.#entriesMax) return;
      this.#owners.delete(key);
    }
  }
}
