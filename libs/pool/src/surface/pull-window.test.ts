import { expect, test } from 'vitest';
import { PullWindow } from './pull-window.ts';

function windowOf(options: { fixed?: number; start?: number; max?: number } = {}): {
  window: PullWindow;
  wait(ms: number): void;
} {
  let nowMs = 0;
  const window = new PullWindow({ start: 64, max: 1_000, nowMs: () => nowMs, ...options });
  return {
    window,
    wait: (ms) => {
      nowMs += ms;
    },
  };
}

test('a window that is emptied at once grows fourfold, up to its limit', () => {
  const { window } = windowOf();
  window.took(63);
  expect(window.size).toBe(64);
  window.took(64);
  expect(window.size).toBe(256);
  window.took(64 + 256);
  expect(window.size).toBe(1_000);
  window.took(5_000);
  expect(window.size).toBe(1_000);
});

test('a window that lasts a while grows twofold, and one that lasts longer not at all', () => {
  const { window, wait } = windowOf();
  wait(200);
  window.took(64);
  expect(window.size).toBe(128);
  wait(2_000);
  window.took(64 + 128);
  expect(window.size).toBe(128);
});

test('a size that the user chose stays', () => {
  const { window } = windowOf({ fixed: 3 });
  window.took(30);
  expect(window.size).toBe(3);
});
