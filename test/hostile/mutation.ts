import type { Random } from '../simulation/random.ts';

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const anywhere = (bytes: Buffer, random: Random): number => random.int(0, Math.max(0, bytes.length - 1));

const mutations: readonly Mutation[] = [
  // One bit.
  (bytes, random) => {
    const at = anywhere(bytes, random);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(0, 7));
    return bytes;
  },
  // One byte, among them those that end no number and those that begin a group.
  (bytes, random) => {
    bytes[anywhere(bytes, random)] =
      [0x00, 0x7f, 0x80, 0xff, 0x0b, 0x0c, random.int(0, 255)][random.int(0, 6)] ?? 0;
    return bytes;
  },
  // A run of one byte: lengths and numbers of any size.
  (bytes, random) => {
    const at = anywhere(bytes, random);
    return bytes.fill(random.int(0, 1) * 0xff, at, Math.min(bytes.length, at + 10));
  },
  // The end is missing.
  (bytes, random) => bytes.subarray(0, anywhere(bytes, random)),
  // A part comes twice.
  (bytes, random) => {
    const [from, to] = [anywhere(bytes, random), anywhere(bytes, random)].sort((a, b) => a - b);
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
  },
  // Something comes in between.
  (bytes, random) => {
    const at = anywhere(bytes, random);
    const noise = Buffer.from(Array.from({ length: random.int(1, 12) }, () => random.int(0, 255)));
    return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
  },
];

/** The same bytes, but not quite: one to four mutations. */
export function mutated(original: Uint8Array, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(original);
  for (let times = random.int(1, 4); times > 0; times--) {
    bytes = mutations[random.int(0, mutations.length - 1)]?.(bytes, random) ?? bytes;
  }
  return bytes;
}

const triesMax = 50;

/**
 * The same of a message, most of which can be read all the same: one that cannot ends its stream, and nothing that follows
 * is heard.
 */
export function mostlyReadable(
  message: Uint8Array,
  decode: (bytes: Buffer) => unknown,
  random: Random,
): Buffer {
  const isReadable = random.next() < 0.9;
  for (let tries = 1; ; tries += 1) {
    const bytes = mutated(message, random);
    if (!isReadable || tries === triesMax || canRead(bytes, decode)) return bytes;
  }
}

export function canRead(bytes: Buffer, decode: (bytes: Buffer) => unknown): boolean {
  try {
    decode(bytes);
    return true;
  } catch {
    return false;
  }
}
