/** What is told of a chunk's ending beyond its kind: why a function is given up, why children do not start. */

import type { EndChunk } from '../core/pool-command.ts';
import type { ChildProcess } from './child-process.ts';
import type { ChunkEndingDetail, ChunkRequest, RemoteErrorData } from './chunk-request.ts';
import { tellingLine } from './telling-line.ts';

/** Of an ending that is explained by how a child has ended. */
export function endingDetail(
  why: EndChunk['why'],
  child: ChildProcess | undefined,
  request: ChunkRequest | undefined,
): ChunkEndingDetail {
  if (child === undefined) return {};
  const death = describeExit(child);
  switch (why) {
    case 'killsChildren': {
      const module = request?.task.kind === 'inline' ? request.task.name : (request?.task.url ?? '');
      const reason = `it ends its process again and again, outside any item (the last time by ${death})`;
      return {
        failure: { code: 'TASK_LOAD_FAILED', facts: { module, reason, hint: tellingLine(child.stderrTail) } },
      };
    }
    case 'childrenDoNotStart': {
      const said = tellingLine(child.stderrTail);
      const reason =
        child.startError?.message ?? `it ended at once by ${death}${said === '' ? '' : `: ${said}`}`;
      const error: RemoteErrorData = child.initializerError ?? {
        name: 'Error',
        message: `it ended its process by ${death}${said === '' ? '' : `: ${said}`}`,
      };
      return { failure: { code: 'CHILD_START_FAILED', facts: { reason } }, error };
    }
    case 'childrenHangAtStart': {
      const seconds = Math.round((Date.now() - child.startedAt.getTime()) / 1_000);
      const reason = `it said nothing for ${seconds} s, which is over the limit (startMs): Node may have been given no thread (ulimit -u, pids.max), what --import or --require loads may hang, or the machine is too busy`;
      return { failure: { code: 'CHILD_START_FAILED', facts: { reason } } };
    }
    case 'initializerHangs': {
      const seconds = Math.round((Date.now() - child.startedAt.getTime()) / 1_000);
      return {
        error: { name: 'Error', message: `it was not done after ${seconds} s (initializerTimeoutMs)` },
      };
    }
    default:
      return {};
  }
}

function describeExit({ exit }: ChildProcess): string {
  if (exit?.signal !== undefined) return exit.signal;
  return exit?.exitCode === undefined ? 'an unknown cause' : `exit code ${exit.exitCode}`;
}
