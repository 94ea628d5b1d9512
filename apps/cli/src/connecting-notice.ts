/** A coordinator that is well answers within a few milliseconds. */
const noticeAfterMs = 1000;

/** Waits for a connection; says so once where it does not come at once, for it is tried for ten seconds. */
export async function withConnectingNotice<T>(
  address: string,
  connection: Promise<T>,
  say: (text: string) => void,
): Promise<T> {
  const timer = setTimeout(() => {
    say(`shoal: coordinator ${address} does not answer yet; still trying.`);
  }, noticeAfterMs);
  try {
    return await connection;
  } finally {
    clearTimeout(timer);
  }
}
