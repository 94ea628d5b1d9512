import { AgentStats, ChildProcess, GroupLosses } from '@shoal/protocol';

/** So many sentences of an agent about its troubles are shown, and so much of each. */
const troublesMax = 16;
const troubleCharsMax = 500;
/** Field numbers and lengths of an entry in a list. */
const frameBytes = 6;

/**
 * What an agent says of its processes, as far as `bytesMax` go: its troubles first, then its processes, then the losses of its
 * groups. Whoever asks for the agents is told what all of them say, and so is everybody's job: one that says too much must not
 * be more than a bad neighbour in a list.
 */
export function boundedStats(stats: AgentStats, bytesMax: number): AgentStats {
  if (AgentStats.encode(stats).finish().byteLength <= bytesMax) return stats;
  const troubles = stats.troubles.slice(0, troublesMax).map((text) => text.slice(0, troubleCharsMax));
  const { starts, recycled, deaths, spooledBytes } = stats;
  const notForked = starts?.notForked.slice(0, troubleCharsMax) ?? '';
  const head = AgentStats.fromPartial({
    troubles,
    recycled,
    deaths,
    spooledBytes,
    ...(starts === undefined ? {} : { starts: { ...starts, notForked } }),
  });
  let left = bytesMax - AgentStats.encode(head).finish().byteLength;
  const fitting = <T>(list: readonly T[], bytesOf: (entry: T) => number): T[] => {
    const kept: T[] = [];
    for (const entry of list) {
      left -= bytesOf(entry) + frameBytes;
      if (left < 0) break;
      kept.push(entry);
    }
    return kept;
  };
  const processes = fitting(stats.processes, (each) => ChildProcess.encode(each).finish().byteLength);
  const groupLosses = fitting(stats.groupLosses, (each) => GroupLosses.encode(each).finish().byteLength);
  return { ...head, processes, groupLosses };
}
