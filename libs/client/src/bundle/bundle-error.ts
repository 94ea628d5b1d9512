import { nearestName, ShoalError } from '@shoal/errors';
import type { Message } from 'esbuild';
import { bundlePath } from './bundle-path.ts';
import { isNativeAddon } from './native-addon.ts';

/** Whether an error is esbuild's account of a failed build. */
function isBuildFailure(error: unknown): error is Error & { errors: Message[] } {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}

/** Where a message points to, as `work.ts:4:9`. */
function place({ location }: Message): string {
  return location === null ? '' : ` (${location.file}:${location.line}:${location.column + 1})`;
}

const advice = (message: Message): string => {
  if (isNativeAddon(message.detail)) {
    return 'Addons are compiled for one machine and cannot travel: use a build of the package in JavaScript or WebAssembly, or run this task in a local Pool.';
  }
  if (message.text.startsWith('Could not resolve')) {
    return 'Install the package where the task module can import it.';
  }
  return '';
};

/** A failed build as the user's error: its first message and the place that it is about. */
export function bundleFailed(root: string, file: string, error: unknown): ShoalError {
  const module = bundlePath(root, file);
  const first = isBuildFailure(error) ? error.errors[0] : undefined;
  if (first === undefined) {
    const reason = error instanceof Error ? error.message : String(error);
    return new ShoalError('TASK_BUNDLE_FAILED', { module, reason, hint: '' }, { cause: error });
  }
  return new ShoalError('TASK_BUNDLE_FAILED', {
    module,
    reason: `${first.text.replace(/\.$/, '')}${place(first)}`,
    hint: advice(first),
  });
}

/** The module has no such export. */
export function exportMissing(module: string, name: string, exports: readonly string[]): ShoalError {
  const near = nearestName(name, exports);
  return new ShoalError('TASK_EXPORT_MISSING', {
    module,
    name,
    exports: exports.length === 0 ? 'none' : exports.join(', '),
    suggestion: near === undefined ? '' : `Did you mean ${near}?`,
  });
}
