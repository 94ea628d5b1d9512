import { expect, onTestFinished, test, vi } from 'vitest';
import { whenHeard } from './hearing.ts';

test('time that the process stood still for is not all of the time that somebody has', () => {
  let nowMs = 0;
  const due: { atMs: number; run: () => void }[] = [];
  vi.stubGlobal('setTimeout', (run: () => void, ms: number) => {
    due.push({ atMs: nowMs + ms, run });
    return { unref: () => undefined };
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  /** One look of the event loop at its timers. */
  const looked = (atMs: number): void => {
    nowMs = atMs;
    for (const timer of due.filter((each) => each.atMs <= atMs)) {
      due.splice(due.indexOf(timer), 1);
      timer.run();
    }
  };
  const deed = vi.fn();
  whenHeard(2_000, deed);
  looked(10_000);
  looked(10_999);
  expect(deed).not.toHaveBeenCalled();
  looked(11_000);
  expect(deed).toHaveBeenCalledOnce();
});
