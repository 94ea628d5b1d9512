// Children in a busy loop, whose parent is then killed.
import { writeSync } from 'node:fs';
import { Pool, task } from 'shoal';

export const spin = task(import.meta, (): never => {
  console.log(process.pid);
  for (;;) {
    // For ever.
  }
});

if (import.meta.main) {
  await using pool = new Pool({ processes: 1 });
  const looping = pool.map(spin, [0]);
  const look = setInterval(() => {
    const [child] = pool.stats().processes;
    if (child?.state !== 'busy') return;
    clearInterval(look);
    writeSync(1, `${child.pid}\n`);
  }, 10);
  await looping;
}
