import { join } from 'node:path';
import {
  CertificateAuthority,
  certificateFacts,
  isIdentityName,
  type Role,
  TlsFolder,
} from '@shoal/credentials';
import { usageError } from '../usage-error.ts';

/** What `shoal certs issue` is asked for. */
export interface IssueRequest {
  readonly tlsDir: string;
  readonly name: string;
  readonly role: Role;
  readonly output: string | undefined;
}

/** Makes a certificate in a folder of its own; resolves to what there is to say. */
export async function issueCert({ tlsDir, name, role, output }: IssueRequest): Promise<string> {
  if (!isIdentityName(name) || /^\.+$/.test(name)) {
    throw usageError(`${name} is no name`, 'Give 1 to 100 letters, digits, ".", ":", "-" or "_".');
  }
  const folder = new TlsFolder(tlsDir);
  const authority = new CertificateAuthority(
    await folder.read('authority'),
    await folder.read('authorityKey'),
  );
  const target = new TlsFolder(output ?? join(tlsDir, 'issued', name));
  // What was revoked is what was issued before.
  const afterMs = (await folder.revocations()).untilMs({ name, role });
  const made = await authority.issueIdentity({ name, role }, { afterMs });
  await target.write('authority', authority.cert);
  await target.writePair('client', made);
  const { validFromMs, validToMs } = certificateFacts(made.cert);
  const until = new Date(validToMs).toISOString().slice(0, 10);
  // The name is revoked until a time that is to come: another machine's clock, or somebody's hand.
  const from = validFromMs > Date.now() ? ` from ${new Date(validFromMs).toISOString()}` : '';
  const use =
    role === 'agent'
      ? 'shoal agent --join HOST:7300 --tls-dir DIR'
      : 'shoal map FILE --address HOST:7300 --tls-dir DIR    (or SHOAL_TLS_DIR=DIR)';
  return `${target.path}: a certificate for the ${role} ${name}${from} until ${until}\nCopy the folder to its machine, and there:\n\n  ${use}\n`;
}
