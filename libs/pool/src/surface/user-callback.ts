/** Calls a callback of the user's: what it throws, or rejects with, becomes a process warning and harms nothing. */
export function callUser(name: string, call: () => unknown): void {
  const report = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.emitWarning(`${name} threw: ${text}`, { type: 'ShoalCallbackWarning' });
  };
  try {
    const returned = call();
    if (returned instanceof Promise) returned.catch(report);
  } catch (error) {
    report(error);
  }
}
