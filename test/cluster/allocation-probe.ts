/** What `--import` loads into a process whose objects are counted: from one SIGUSR2 to the next, which logs how many bytes they had. */
import { Allocations } from './item-objects-work.ts';

let allocations: Allocations | undefined;

process.on('SIGUSR2', () => {
  const bytes = allocations?.stop();
  allocations = bytes === undefined ? new Allocations() : undefined;
  const event = bytes === undefined ? 'allocations.begun' : 'allocations.counted';
  process.stderr.write(`${JSON.stringify({ event, msg: '', time: Date.now(), bytes })}\n`);
});
