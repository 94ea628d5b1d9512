import type { ChildStarts } from './gen/shoal/v1/cluster.ts';

/** Adds the processes of one agent; of several reasons the first is kept, with the agent's name before it. */
export function addStarts(sum: ChildStarts, agent: string, starts: ChildStarts | undefined): void {
  // An older agent says nothing.
  if (starts === undefined) return;
  sum.spawned += starts.spawned;
  sum.forked += starts.forked;
  if (sum.notForked === '' && starts.notForked !== '') sum.notForked = `${agent}: ${starts.notForked}`;
}
