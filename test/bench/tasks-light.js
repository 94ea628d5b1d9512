// What loads nothing, for what a process takes by itself.
export const increment = (x) => x + 1;

export const tasks = { increment };
