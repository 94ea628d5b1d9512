/** The library that writes certificates. It is big, so this module is only ever loaded with import(). */
// The library's dependency container reads decorators' metadata and refuses to load without this.
import 'reflect-metadata';

export * from '@peculiar/x509';
