import { createHash } from 'node:crypto';
import { keyPairOf, keyPem, newKeyPair, signingAlgorithm } from './key-pair.ts';

/** A request for a certificate and the key that it is for, both PEM. The key never leaves this process but for a file. */
export interface CertificateRequest {
  readonly request: string;
  readonly key: string;
}

/** Makes a request for the certificate of a key (PEM), or of a new one. Who it is for is said by whoever signs. */
export async function createCertificateRequest(key?: string): Promise<CertificateRequest> {
  const x509 = await import('./x509.ts');
  const keys = key === undefined ? await newKeyPair() : keyPairOf(key);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm });
  return { request: request.toString('pem'), key: keyPem(keys.privateKey) };
}

/** The digest of the key that a request is for; undefined for what is no request. Whether it is signed with that is not looked at. */
export async function requestedKey(request: string): Promise<string | undefined> {
  const x509 = await import('./x509.ts');
  try {
    const { publicKey } = new x509.Pkcs10CertificateRequest(request);
    return createHash('sha256').update(Buffer.from(publicKey.rawData)).digest('base64url');
  } catch {
    return undefined;
  }
}
