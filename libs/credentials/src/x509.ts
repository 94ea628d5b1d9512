/** The library that writes certificates. It is big, so this module is only ever loaded with import(). */
// The library's dependency container reads decorators' metadata and refuses to load without this.
import 'reflect-metadata';

// By name: of what is exported with a star nothing is left in the bundles of the image.
export {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
