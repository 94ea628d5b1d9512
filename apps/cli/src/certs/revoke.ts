import { asSerial, isIdentityName, type Revocation, type Role, roles, TlsFolder } from '@shoal/credentials';
import { usageError } from '../usage-error.ts';

/** What `shoal certs revoke` is asked for. */
export interface RevokeRequest {
  readonly tlsDir: string;
  /** A name, or the serial number of one certificate. */
  readonly what: string;
  /** Undefined: whatever role certificates of that name have. */
  readonly role: Role | undefined;
  readonly nowMs: number;
}

/** Puts certificates on the list of those that are good no more; resolves to what there is to say. */
export async function revokeCert({ tlsDir, what, role, nowMs }: RevokeRequest): Promise<string> {
  const serial = asSerial(what);
  if (serial === undefined && !isIdentityName(what)) {
    throw usageError(
      `${what} is neither a name nor a serial number`,
      'Give a name as shoal certs issue had it.',
    );
  }
  const folder = new TlsFolder(tlsDir);
  // Nobody would read a list in another folder.
  await folder.read('authority');
  const revocations: Revocation[] = [];
  if (serial !== undefined) revocations.push({ serial });
  if (isIdentityName(what)) {
    const list = await folder.revocations();
    const before = Math.max(...roles.map((each) => list.untilMs({ name: what, role: each })));
    // Certificates begin with a second. One for a name that was revoked begins with the next one, and whoever makes it waits for
    // that: until then it is nobody's. Only where the list is ahead of this clock has one been made that begins later than now.
    const untilMs = before > nowMs ? before + 1000 : Math.floor(nowMs / 1000) * 1000;
    revocations.push({ name: what, role, untilMs });
  }
  await folder.revoke(revocations);
  const certificates =
    serial === undefined
      ? `all certificates of ${role ?? 'anybody called'} ${what} so far are`
      : `the certificate ${serial} is`;
  return (
    `${folder.revokedPath}: ${certificates} revoked\n` +
    'A coordinator that runs with this folder turns whoever shows one away, and ends what it has open, within seconds.\n' +
    'One that runs with a copy of the folder needs a copy of this file.\n'
  );
}
