import { Pool } from 'shoal';
import { scientists } from './scientist.ts';
import { transform } from './work.ts';

// One after another: seven seconds.
let startedAt = performance.now();
const one: unknown[] = [];
for (const scientist of scientists) one.push(await transform(scientist));
console.log(`sequential: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);

// The same on four processes: two lines are different, and it takes two seconds.
startedAt = performance.now();
await using pool = new Pool({ processes: 4 });
const four = await pool.map(transform, scientists);
console.log(`4 processes: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);

console.table(four);
console.log(`equal and in order: ${JSON.stringify(four) === JSON.stringify(one)}`);
