import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  type CertificateAuthority,
  type CertificateFacts,
  certificateFacts,
  certificateFingerprint,
  isIdentityName,
  type Role,
  type TlsFile,
  TlsFolder,
  tlsFiles,
} from '@shoal/credentials';
import { usageError } from '../usage-error.ts';

/** What `shoal certs issue` is asked for. */
export interface IssueRequest {
  readonly tlsDir: string;
  readonly name: string;
  readonly role: Role;
  readonly output: string | undefined;
}

/**
 * Makes a certificate in a folder of its own; resolves to what there is to say.
 *
 * Errors: `FILE_NOT_USABLE` without an authority; `USAGE` for what is no name, and for a folder that is somebody else's.
 */
export async function issueCert(request: IssueRequest): Promise<string> {
  const { tlsDir, name, role, output } = request;
  if (!isIdentityName(name) || /^\.+$/.test(name)) {
    throw usageError(`${name} is no name`, 'Give 1 to 100 letters, digits, ".", ":", "-" or "_".');
  }
  const folder = new TlsFolder(tlsDir);
  const authority = folder.authorityOf(await folder.read('authority'), await folder.read('authorityKey'));
  const target = new TlsFolder(output ?? join(tlsDir, 'issued', name));
  const replaced = await checkTarget(target, authority, request);
  // What was revoked is what was issued before.
  const revocations = await folder.revoked.list();
  const afterMs = revocations.untilMs({ name, role });
  const made = await authority.issueIdentity({ name, role }, { afterMs });
  await target.write('authority', authority.cert);
  await target.writePair('client', made);
  const { validFromMs, validToMs } = certificateFacts(made.cert);
  const until = new Date(validToMs).toISOString().slice(0, 10);
  // The name is revoked until a time that is to come: another machine's clock, or somebody's hand.
  const from = validFromMs > Date.now() ? ` from ${new Date(validFromMs).toISOString()}` : '';
  const isGood = (facts: CertificateFacts): boolean =>
    facts.validToMs > Date.now() && !revocations.has(facts);
  const others = await othersOf(folder, target, name);
  const stays = [
    ...(replaced === undefined || !isGood(replaced) ? [] : [staysText(replaced, 'that was there', tlsDir)]),
    ...others
      .filter(({ facts }) => isGood(facts))
      .map(({ facts, path }) => staysText(facts, `in ${path}`, tlsDir)),
  ].join('');
  return `${target.path}: a certificate for the ${role} ${name}${from} until ${until}\n${stays}Copy the folder to its machine, and there:\n\n  ${uses[role]}\n`;
}

const map = 'shoal map FILE --address HOST:7300 --tls-dir DIR    (or SHOAL_TLS_DIR=DIR)';

/** What its holder may do with it, to begin with. */
const uses: Readonly<Record<Role, string>> = {
  admin: map,
  agent: 'shoal agent --join HOST:7300 --tls-dir DIR',
  client: map,
  viewer: 'shoal status --address HOST:7300 --tls-dir DIR    (or SHOAL_TLS_DIR=DIR)',
};

/** What is nobody's but a coordinator's: with another authority beside it nothing in the folder can be used any more. */
const ofCoordinators: readonly TlsFile[] = ['authorityKey', 'coordinator', 'coordinatorKey'];

/** Resolves to the certificate that is replaced. Errors: `USAGE` where something of somebody else would be. */
async function checkTarget(
  target: TlsFolder,
  authority: CertificateAuthority,
  { name, role, output }: IssueRequest,
): Promise<CertificateFacts | undefined> {
  const refuse = (why: string): never => {
    throw usageError(`${target.path} ${why}`, 'Name another folder with --output.');
  };
  const theirs = ofCoordinators.find((file) => existsSync(target.pathOf(file)));
  if (theirs !== undefined) refuse(`belongs to whoever runs a cluster: ${tlsFiles[theirs]} is in it`);
  const trusted = await target.findReplaceable('authority');
  if (trusted !== undefined && fingerprintOf(trusted) !== fingerprintOf(authority.cert))
    refuse('has ca.crt of another cluster');
  const shown = await target.findReplaceable('client');
  if (shown === undefined) return undefined;
  const facts = certificateFacts(shown);
  const { identity } = facts;
  // A folder that somebody names may be in use; that of a name in the TLS folder is a copy of what was handed out.
  if (identity?.name !== name || (output !== undefined && identity.role !== role))
    refuse(`has the certificate of ${identity === undefined ? 'somebody else' : holder(identity)}`);
  return facts;
}

/** Other certificates of a name that the folder of the authority knows: that of whoever ran certs init, and what was issued in it. */
async function othersOf(
  folder: TlsFolder,
  target: TlsFolder,
  name: string,
): Promise<readonly { readonly path: string; readonly facts: CertificateFacts }[]> {
  const found = [folder, new TlsFolder(join(folder.path, 'issued', name))]
    .filter(({ path }) => resolve(path) !== resolve(target.path))
    .map(async (other) => {
      const pem = await other.findReplaceable('client');
      const facts = pem === undefined ? undefined : certificateFacts(pem);
      return facts?.identity?.name === name ? [{ path: other.pathOf('client'), facts }] : [];
    });
  return (await Promise.all(found)).flat();
}

function staysText({ identity, serial, validToMs }: CertificateFacts, where: string, tlsDir: string): string {
  const until = new Date(validToMs).toISOString().slice(0, 10);
  const whose = identity === undefined ? '' : ` of ${holder(identity)}`;
  return (
    `The certificate${whose} ${where} stays good until ${until} wherever it was copied to;` +
    ` shoal certs revoke ${serial} --tls-dir ${tlsDir} takes it back.\n`
  );
}

const fingerprintOf = (pem: string): string => certificateFingerprint(new X509Certificate(pem));

const holder = ({ name, role }: { readonly name: string; readonly role: Role }): string => `${role} ${name}`;
