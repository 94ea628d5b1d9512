/**
 * Does something in so long, which is the time that somebody has to hear what he was told. Where this process stood still for it,
 * nothing was sent meanwhile, so half of the time begins after that.
 */
export function whenHeard(hearingMs: number, deed: () => void): void {
  const halfMs = hearingMs / 2;
  setTimeout(() => setTimeout(deed, halfMs).unref(), halfMs).unref();
}
