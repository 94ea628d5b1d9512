/** What a task module needs of this package while it loads and runs: children load this and leave the pool alone. */
export { current, type TaskContext } from './current.ts';
export { type ModuleMeta, task } from './task.ts';
