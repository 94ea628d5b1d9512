// One call in a process of its own.
import { increment } from '../tasks.js';

console.log(increment(Number(process.argv[2])));
