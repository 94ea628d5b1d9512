/** The release of this command. A test compares it with package.json, which a bundle does not have beside it. */
export const version: string = '0.1.0';
