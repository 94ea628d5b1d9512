/** How the tight loops see that time passes. */

/**
 * It only has to be seen that time passes, not how much: a clock that is set meanwhile does no harm. Taken before any task
 * runs, for a task may put something else in its place.
 */
export const millisecond: () => number = Date.now;

/** Reading the clock costs as much as a tiny item; up to this many of them share a reading. From one to many: a slow item must be told of at once. */
export const strideMax = 8;
