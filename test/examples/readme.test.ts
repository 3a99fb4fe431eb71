import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runningIn } from '../../infra/local/running.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const dataDir = mkdtempSync(join(tmpdir(), 'ieum-readme-'));
let start: ChildProcess;

const isReady = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    let said = '';
    child.stdout!.on('data', (chunk) => {
      said += String(chunk);
      if (said.includes('Ieum is ready')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`npm start ended with ${code}:\n${said}`)));
  });

beforeAll(async () => {
  const args = ['infra/local/start.ts', '--no-demo', '--port', '0', '--data', dataDir];
  start = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  await isReady(start);
});
afterAll(async () => {
  const ended = new Promise((resolve) => start.once('exit', resolve));
  start.kill('SIGINT');
  await ended;
  rmSync(dataDir, { recursive: true, force: true });
});

/** The README's session, with the ports of this run instead of the usual ones; each curl line tells on its own. */
const session = (): string => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const [, script] = /<!-- session -->\n```bash\n([\s\S]*?)```/.exec(readme)!;
  const { url, awsUrl } = runningIn(dataDir)!;
  return script!
    .replace('http://127.0.0.1:4000', url)
    .replace('http://127.0.0.1:4001', awsUrl)
    .replace('./.ieum/data/', `${dataDir}/`)
    .replaceAll(/^curl/gm, 'echo; curl');
};

describe('the first session of the README', () => {
  it('looks, signs in, fills a cart, orders, pays and sees who works on it', () => {
    const said = execFileSync('bash', ['-euo', 'pipefail', '-c', session()], { cwd: ROOT, encoding: 'utf8' });
    const answers = said
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    const [availability, cart, payment, order] = answers;
    expect(answers).toHaveLength(4);
    expect(availability).toMatchObject({ sku: 'TEE-BLK-M' });
    expect(cart.lines).toHaveLength(1);
    expect(payment).toMatchObject({ status: 'AUTHORIZED', orderId: order.orderId });
    expect(order.fulfilments[0].reason).toMatch(/nearest/);
    expect(['PLACED', 'PROCESSING']).toContain(order.status);
  });
});
