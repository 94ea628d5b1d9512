// Makes node_modules match package-lock.json: does nothing when it does, runs `npm ci` when it does not.
// Plain JavaScript without dependencies, for it runs before anything is installed and on Node 20.
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const attempts = 2;
// npm ci takes about 20 s here and has been seen to hang; after this long a fresh start is quicker than patience.
const timeoutMs = Number(process.env.SHOAL_INSTALL_TIMEOUT_MS ?? 240_000);

const reason = reasonToInstall();
if (reason !== undefined) await install(reason);

/** Why an install is needed, or undefined. npm writes node_modules/.package-lock.json last, so its time is the install's. */
function reasonToInstall() {
  const marker = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(marker)) return 'node_modules is absent or half made';
  if (statSync(marker).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs) {
    return 'package-lock.json is newer than node_modules';
  }
  const bringsNode = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);
  if (bringsNode && !existsSync(join(root, 'node_modules', '.bin', 'node'))) {
    return 'node_modules has no Node 24';
  }
  return undefined;
}

async function install(why) {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    console.error(
      `install: npm ci (${why}; attempt ${attempt} of ${attempts}, at most ${timeoutMs / 1000} s)`,
    );
    const startedAt = Date.now();
    const failure = await runNpmCi();
    if (failure === undefined) {
      console.error(`install: done in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
      return;
    }
    console.error(`install: ${failure}`);
  }
  process.exit(1);
}

/** Runs `npm ci` as its own process group, so that a hung one goes with all its helpers. */
function runNpmCi() {
  return new Promise((resolve) => {
    const npm = spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 2, 2],
      detached: process.platform !== 'win32',
      shell: process.platform === 'win32',
    });
    const kill = () => {
      try {
        process.kill(process.platform === 'win32' ? npm.pid : -npm.pid, 'SIGKILL');
      } catch {
        // It is gone already.
      }
    };
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, timeoutMs);
    const interrupted = (signal) => {
      kill();
      process.exit(signal === 'SIGINT' ? 130 : 143);
    };
    process.once('SIGINT', interrupted);
    process.once('SIGTERM', interrupted);
    const settle = (failure) => {
      clearTimeout(timer);
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', interrupted);
      resolve(failure);
    };
    npm.once('error', (error) => settle(`npm cannot be started: ${error.message}`));
    npm.once('exit', (code, signal) => {
      if (timedOut) settle(`npm ci did not finish within ${timeoutMs / 1000} s and was killed`);
      else settle(code === 0 ? undefined : `npm ci ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}
