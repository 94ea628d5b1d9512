import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  KeyObject as NodeKeyObject,
  webcrypto,
} from 'node:crypto';

/** ECDSA on P-256: small certificates, fast handshakes, and known to every client in every language. */
const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/** How certificates are signed. */
export const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** A new key pair. */
export async function newKeyPair(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<CryptoKeyPair>;
}

/** The pair of a private key (PEM). Throws what Node says of it when it is none of ours. */
export function keyPairOf(pem: string): CryptoKeyPair {
  const publicKey = createPublicKey(pem).toCryptoKey(algorithm, true, ['verify']);
  return { privateKey: signingKey(pem), publicKey };
}

type CryptoKeyPair = webcrypto.CryptoKeyPair;

/** A private key as PEM (PKCS #8). */
export function keyPem(key: webcrypto.CryptoKey): string {
  return NodeKeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** A private key from PEM, for signing. Throws what Node says of it when it is none. */
export function signingKey(pem: string): webcrypto.CryptoKey {
  const key: KeyObject = createPrivateKey(pem);
  return key.toCryptoKey(algorithm, true, ['sign']);
}
