import { ShoalError } from '@shoal/errors';
import type { Refusal } from './core/index.ts';

/** A refusal, as its client is told. */
export function refusalError(refusal: Refusal): ShoalError {
  if (refusal.code !== 'LIMIT_REACHED') {
    const { code, ...facts } = refusal;
    return new ShoalError(code, facts);
  }
  const { limit, most, value } = refusal;
  return new ShoalError('LIMIT_REACHED', { ...limitWords[limit], limitName: limit, value, limit: most });
}

const limitWords = {
  requestBytes: {
    what: 'Bytes of the requests of all jobs (their functions as text, initArgs, environments)',
    option: 'shoal coordinator --max-request-bytes',
  },
  jobs: { what: 'Jobs known at once', option: 'shoal coordinator --max-jobs' },
} as const;
