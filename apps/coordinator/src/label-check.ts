import { ShoalError } from '@shoal/errors';
import { limits } from '@shoal/protocol';

/** Checks the labels of a job or an agent. Throws `REQUEST_INVALID` with the field. */
export function checkLabels(field: string, labels: Readonly<Record<string, string>>, most: number): void {
  const entries = Object.entries(labels);
  if (entries.length > most) {
    throw new ShoalError('REQUEST_INVALID', {
      field,
      reason: `are ${entries.length}, and may be ${most} (shoal coordinator --max-labels)`,
      limitName: 'labelEntries',
    });
  }
  const charsMost = limits.nameChars.default;
  if (entries.every(([name, value]) => name.length <= charsMost && value.length <= charsMost)) return;
  throw new ShoalError('REQUEST_INVALID', { field, reason: `are longer than ${charsMost} characters` });
}
