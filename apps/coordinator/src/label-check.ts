import { labelCharsMax, labelFault, ShoalError } from '@shoal/errors';

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
  for (const [name, value] of entries) {
    const reason = labelFault(name, value);
    if (reason === undefined) continue;
    const isLong = name.length > labelCharsMax || value.length > labelCharsMax;
    throw new ShoalError('REQUEST_INVALID', { field, reason, ...(isLong ? { limitName: 'nameChars' } : {}) });
  }
}
