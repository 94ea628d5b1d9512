import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CertificateAuthority,
  type CertifiedIdentity,
  type CertifiedKey,
  TlsFolder,
  type Validity,
} from '@shoal/credentials';
import type { DialMaterial } from '@shoal/protocol';

/** A cluster's TLS folder in a folder of its own, and what its authority signs. */
export class TlsFiles {
  readonly folder: TlsFolder;
  readonly authority: CertificateAuthority;

  private constructor(folder: TlsFolder, authority: CertificateAuthority) {
    this.folder = folder;
    this.authority = authority;
  }

  /** An authority, and a certificate for a coordinator on loopback. */
  static async make(authorityFromMs: number = Date.now()): Promise<TlsFiles> {
    const folder = new TlsFolder(await mkdtemp(join(tmpdir(), 'shoal-tls-')));
    const authority = await CertificateAuthority.create(authorityFromMs);
    const files = new TlsFiles(folder, authority);
    await folder.write('authority', authority.cert);
    await folder.write('authorityKey', authority.key);
    await files.writeCoordinator();
    return files;
  }

  /** As `shoal certs init` does: a coordinator that reads meanwhile finds the old pair or the new one. */
  async writeCoordinator(
    hosts: readonly string[] = ['localhost', '127.0.0.1'],
    validity: Validity = {},
  ): Promise<void> {
    await this.folder.writePair('coordinator', await this.authority.issueCoordinator(hosts, validity));
  }

  /** What somebody of this identity connects with. */
  async identity(identity: CertifiedIdentity, validity: Validity = {}): Promise<DialMaterial & CertifiedKey> {
    return { ca: this.authority.cert, ...(await this.authority.issueIdentity(identity, validity)) };
  }

  /** The folder of an agent with a certificate. */
  async agentFolder(name: string, validity: Validity = {}): Promise<string> {
    const folder = new TlsFolder(join(this.folder.path, 'issued', name));
    const { cert, key } = await this.authority.issueIdentity({ name, role: 'agent' }, validity);
    await folder.write('authority', this.authority.cert);
    await folder.write('clientKey', key);
    await folder.write('client', cert);
    return folder.path;
  }

  remove(): Promise<void> {
    return rm(this.folder.path, { recursive: true, force: true });
  }
}
