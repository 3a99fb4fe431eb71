// Installs what is missing. Runs before everything else on whatever Node the machine has (20 or newer), so it is plain
// JavaScript and needs no package. The scripts themselves run on the Node 24 that it installs.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const [major = 0] = process.versions.node.split('.').map(Number);
if (major < 20) {
  console.error(`Ieum needs Node 20 or newer to start; this is ${process.version}.`);
  process.exit(1);
}
const stamp = 'node_modules/.ieum-installed';
const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');
const installed = existsSync(stamp) && readFileSync(stamp, 'utf8') === lock;
if (!installed) {
  console.log('Installing packages, once …');
  const npm = process.env.npm_execpath;
  const [command, args] = npm === undefined ? ['npm', ['ci']] : [process.execPath, [npm, 'ci']];
  const { status } = spawnSync(command, [...args, '--loglevel=error', '--no-progress'], { stdio: 'inherit' });
  if (status !== 0) {
    console.error('npm ci failed, see above.');
    process.exit(status ?? 1);
  }
  writeFileSync(stamp, lock);
}
