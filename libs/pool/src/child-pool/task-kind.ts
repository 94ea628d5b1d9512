import type { TaskRef } from './chunk-request.ts';

// Many kinds are remembered; longer functions have none.
const kindCharsMax = 4_096;

/** Equal functions have equal names here, and others have others. */
export function kindOf(task: TaskRef): { readonly kind?: string } {
  switch (task.kind) {
    case 'export':
      return { kind: `${task.url}#${task.export}` };
    case 'registered':
      return { kind: `${task.url} ${task.origin} ${task.ordinal}` };
    case 'inline':
      return task.source.length > kindCharsMax ? {} : { kind: task.source };
  }
}
