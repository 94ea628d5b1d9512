// What tasks print, on both streams, and what an initializer prints.
import { Pool, task } from 'shoal';

export const speak = task(import.meta, (name: string) => {
  console.log('processing record', name);
  console.error(`two lines\nof ${name}`);
});

if (import.meta.main) {
  const stdio = process.argv[2] === 'ignore' ? 'ignore' : 'forward';
  await using pool = new Pool({ processes: 1, stdio });
  await pool.map(speak, ['Marie Curie', 'Ada']);
}
