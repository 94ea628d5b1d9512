// The same functions, in a module that takes its time to load, as one with large imports does.
const until = performance.now() + 150;
while (performance.now() < until);

export * from './tasks.js';
