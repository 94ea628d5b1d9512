import type { Plugin } from 'esbuild';
import { bundlePath } from './bundle-path.ts';

/** What tells a failure that comes from here from any other. */
export interface NativeAddonFound {
  readonly nativeAddon: string;
}

/** Whether a detail of a build message says that a native addon was refused. */
export function isNativeAddon(detail: unknown): detail is NativeAddonFound {
  return typeof detail === 'object' && detail !== null && 'nativeAddon' in detail;
}

// Packages whose only purpose is to find the addon of the package that calls them.
const addonFinders = /^(?:bindings|node-gyp-build|@mapbox\/node-pre-gyp|node-pre-gyp)$/;

/**
 * Refuses native addons by name: compiled for this machine, they cannot travel.
 *
 * An addon that is imported is refused while bundling. One that a package looks for while it loads may be an
 * extra (`ws` lives without `bufferutil`), so there only the search fails, at run time, with the reason.
 */
export function nativeAddons(root: string): Plugin {
  return {
    name: 'shoal-native-addons',
    setup(build) {
      build.onLoad({ filter: /\.node$/, namespace: 'file' }, ({ path: file }) => {
        const nativeAddon = bundlePath(root, file);
        return { errors: [{ text: `${nativeAddon} is a native addon`, detail: { nativeAddon } }] };
      });
      build.onResolve({ filter: addonFinders }, ({ path }) => ({ path, namespace: 'shoal-native-addon' }));
      build.onLoad({ filter: /.*/, namespace: 'shoal-native-addon' }, ({ path }) => ({
        contents: `module.exports = () => {
  throw new Error('A native addon was asked for (through ${path}); addons do not travel to a cluster.');
};
`,
      }));
    },
  };
}
