/** The program of a spawned child as a script: its starter calls `start`. */
import { runChild } from './child/child-program.ts';
import { closeLeftFiles } from './child/left-files.ts';
import { importBy } from './child/task-loader.ts';
import { hideYoungHeap } from './child/young-heap.ts';

/** What a script cannot do by itself. */
export interface ScriptSupport {
  importUrl(url: string): Promise<unknown>;
  keepCompiled(): void;
}

/** It is a child from here on. */
export function start({ importUrl, keepCompiled }: ScriptSupport): void {
  importBy(importUrl);
  closeLeftFiles();
  hideYoungHeap();
  runChild({ keepCompiled });
}
