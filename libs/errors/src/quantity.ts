/** How quantities are written in messages: `4,209`, `30 s`, `71 MiB`, `3 times`. */

/** A whole number with thousands separated: `4,209`. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** So many of something: `1 item`, `4,209 items`; `plural` where it is not an `s` more. */
export function countedText(count: number, noun: string, plural: string = `${noun}s`): string {
  return `${countText(count)} ${count === 1 ? noun : plural}`;
}

/** A duration in the unit that reads best: `250 ms`, `1.5 s`, `30 s`, `5 min`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${trimmed(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${trimmed(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${trimmed(ms / 3_600_000)} h`;
  return `${trimmed(ms / 86_400_000)} days`;
}

/** A size in binary units: `512 B`, `64 KiB`, `71 MiB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${trimmed(bytes / 1024)} KiB`;
  if (bytes < 1024 ** 3) return `${trimmed(bytes / 1024 ** 2)} MiB`;
  return `${trimmed(bytes / 1024 ** 3)} GiB`;
}

/** `once`, `twice`, `3 times`. */
export function timesText(times: number): string {
  if (times === 1) return 'once';
  return times === 2 ? 'twice' : `${countText(times)} times`;
}

/** One decimal where it says something, none where it does not. */
const trimmed = (value: number): string => String(Number(value.toFixed(value < 10 ? 1 : 0)));
