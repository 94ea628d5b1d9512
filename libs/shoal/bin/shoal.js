#!/usr/bin/env node
// The shoal command. Plain JavaScript that an older Node can read, so that it can say what is wrong.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const [major, minor] = process.versions.node.split('.').map(Number);

if (major > 24 || (major === 24 && minor >= 2)) {
  const { isOwing, run } = await import('@shoal/cli');
  process.exitCode = await run(process.argv);
  leaveSoon(isOwing);
} else {
  // npm may have installed a newer Node beside this command (node_modules/.bin/node), as Shoal's own repository does.
  const node = join(dirname(process.argv[1]), 'node');
  if (existsSync(node)) runOn(node);
  else {
    console.error(`shoal needs Node >= 24.2; this is ${process.versions.node} (${process.execPath}).`);
    process.exitCode = 2;
  }
}

/**
 * Ends this process, should it still be there in half a second: nothing runs any more, but the system goes on for two
 * minutes with a connection to a machine that does not answer, and Node waits for it.
 */
function leaveSoon(isOwing) {
  const leave = () => {
    if (isOwing(process)) leaveSoon(isOwing);
    else process.exit();
  };
  setTimeout(leave, 500).unref();
}

/** Runs the command on another Node in this one's place: its signals, its exit code, and never longer than this one. */
function runOn(node) {
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
  const command = [node, ...process.argv.slice(1)];
  // With setpriv the kernel ends the command with this process, even after kill -9.
  const [program, ...args] = setpriv ? [setpriv, '--pdeathsig', 'KILL', '--', ...command] : command;
  const child = spawn(program, args, { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // A terminal sends Ctrl-C to both; passing it on would make it the second one, which kills.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  child.on('error', (error) => {
    console.error(`shoal cannot start ${node}: ${error.message}`);
    process.exitCode = 2;
  });
  child.on('exit', (code, signal) => {
    for (const name of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.removeAllListeners(name);
    if (signal) process.kill(process.pid, signal);
    else process.exitCode = code;
  });
}
