/**
 * `node:crypto`, loaded when somebody needs it. It is the largest of Node's modules: 5 ms, a sixth of what starting Node
 * takes, and most children never do need it.
 */
export const crypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto');
