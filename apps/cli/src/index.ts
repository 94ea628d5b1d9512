export { run } from './main.ts';
export { isOwing } from './output.ts';
