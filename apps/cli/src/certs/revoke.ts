import {
  asSerial,
  isIdentityName,
  isRole,
  type Revocation,
  type RevocationList,
  type Role,
  roles,
  TlsFolder,
} from '@shoal/credentials';
import { usageError } from '../usage-error.ts';
import { type ListedCert, listCerts } from './list.ts';

/** What `shoal certs revoke` is asked for. */
export interface RevokeRequest {
  readonly tlsDir: string;
  /** A name, or the serial number of one certificate. */
  readonly what: string;
  /** Undefined: whatever role certificates of that name have. */
  readonly role: Role | undefined;
  readonly nowMs: number;
  /** Entries that the list may have. */
  readonly maxRevocations: number;
}

/** Puts certificates on the list of those that are good no more; resolves to what there is to say. */
export async function revokeCert(request: RevokeRequest): Promise<string> {
  const { tlsDir, what, role, nowMs, maxRevocations } = request;
  const number = asSerial(what);
  if (number === undefined && !isIdentityName(what)) {
    throw usageError(
      `${what} is neither a name nor a serial number`,
      'Give a name as shoal certs issue had it.',
    );
  }
  const folder = new TlsFolder(tlsDir);
  // Nobody would read a list in another folder.
  await folder.read('authority');
  // Whom a damaged file is of does not keep anybody from being shut out.
  const known = await listCerts(tlsDir).catch(() => undefined);
  const numbered = known?.find(({ serial }) => serial === number);
  checkNumber(numbered, what, role);
  // A name may look like a number: it is one where a role is given, which numbers have not.
  const serial = role === undefined ? number : undefined;
  const list = await folder.revoked.list();
  const more = serial === undefined ? ofName({ name: what, role }, list, nowMs) : ofSerial(serial, list);
  // The coordinator would go on with the list that it had, and let in whoever is shut out here.
  const option = '--max-revocations here, and of shoal coordinator';
  if (more.length > 0) await folder.revoked.add(more, { entries: maxRevocations, option });
  const isKnown =
    serial === undefined
      ? known?.some((each) => each.name === what && isRole(each.role) && (role ?? each.role) === each.role)
      : numbered !== undefined;
  const certificates =
    serial === undefined
      ? `all certificates of ${role ?? 'anybody called'} ${what} so far are`
      : `the certificate ${serial} is`;
  return (
    `${folder.revoked.path}: ${certificates} revoked${more.length === 0 ? ', as before' : ''}\n` +
    (isKnown === false ? unknownText(serial === undefined ? 'name' : 'number', tlsDir) : '') +
    'A coordinator that runs with this folder turns whoever shows one away, and ends what it has open, within seconds.\n' +
    'One that runs with a copy of the folder needs a copy of this file.\n'
  );
}

/** Errors: `USAGE` where revoking that one would do nothing, or where a role does not go with it. */
function checkNumber(found: ListedCert | undefined, what: string, role: Role | undefined): void {
  if (found?.role === 'coordinator' || found?.role === 'authority') {
    throw usageError(
      `${what} is the number of ${found.file}, which cannot be revoked: whoever calls a coordinator has no list`,
      'Where its key was stolen, make a new authority: move the folder away, run shoal certs init, and give everybody certificates of it.',
    );
  }
  if (found !== undefined && role !== undefined) {
    throw usageError(
      `${what} is the serial number of ${found.file}, and --role goes with a name`,
      'Leave --role out.',
    );
  }
}

function ofSerial(serial: string, list: RevocationList): Revocation[] {
  return list.has({ serial, validFromMs: 0, identity: undefined }) ? [] : [{ serial }];
}

function ofName({ name, role }: Named, list: RevocationList, nowMs: number): Revocation[] {
  const untils = (role === undefined ? roles : [role]).map((each) => list.untilMs({ name, role: each }));
  const before = Math.max(...roles.map((each) => list.untilMs({ name, role: each })));
  // Certificates begin with a second. One for a name that was revoked begins with the next one, and whoever makes it waits for
  // that: until then it is nobody's. Only where the list is ahead of this clock has one been made that begins later than now.
  const untilMs = before > nowMs ? before + 1000 : Math.floor(nowMs / 1000) * 1000;
  // A list has an end; a line that changes nothing brings it nearer.
  return Math.min(...untils) >= untilMs ? [] : [{ name, role, untilMs }];
}

function unknownText(what: 'name' | 'number', tlsDir: string): string {
  return (
    `No certificate of that ${what} is in ${tlsDir}: see that it is the right one. Those of agents that joined with a token, and those\n` +
    'that were issued with --output, are elsewhere (shoal agents ls has the names of agents).\n'
  );
}

interface Named {
  readonly name: string;
  readonly role: Role | undefined;
}
