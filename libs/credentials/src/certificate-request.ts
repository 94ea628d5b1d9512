import { keyPem, newKeyPair, signingAlgorithm } from './key-pair.ts';

/** A request for a certificate and the key that it is for, both PEM. The key never leaves this process but for a file. */
export interface CertificateRequest {
  readonly request: string;
  readonly key: string;
}

/** Makes a new key and a request for its certificate. Who it is for is said by whoever signs. */
export async function createCertificateRequest(): Promise<CertificateRequest> {
  const x509 = await import('./x509.ts');
  const keys = await newKeyPair();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm });
  return { request: request.toString('pem'), key: keyPem(keys.privateKey) };
}
