/**
 * The longest time that a timer of Node can be set to, in milliseconds: 24.8 days. Of a longer one Node makes 1 ms. On the
 * wire times have 32 bits, too.
 */
export const timerMsMax = 2_147_483_647;
