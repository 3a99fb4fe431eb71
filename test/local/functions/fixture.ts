import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, vi } from 'vitest';
import { type FunctionHost, startFunctions } from '../../../infra/local/functions.ts';
import { loadTemplate, type Properties } from '../../../infra/local/template.ts';
import { type Assembly, assemblyOf, functionOf, options } from '../assembly.ts';

vi.setConfig({ testTimeout: 20_000 });

/** What a test has opened, to be closed after it. */
export const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

export const arn = 'arn:aws:lambda:ap-northeast-2:000000000000:function:Shop-Greeter';

export function host(
  code: string,
  setting: {
    properties?: Properties;
    statements?: Properties[];
    environment?: Record<string, string>;
    idleSeconds?: number;
  } = {},
): { functions: FunctionHost; assembly: Assembly } {
  const assembly = assemblyOf(functionOf('Greeter', setting.properties, setting.statements), { Greeter: code });
  const functions = startFunctions({
    template: loadTemplate(assembly.dir, options),
    ...options,
    dataDir: assembly.dataDir,
    environment: () => setting.environment ?? {},
    ...(setting.idleSeconds && { idleSeconds: setting.idleSeconds }),
  });
  open.push(() => assembly[Symbol.dispose]());
  open.push(() => functions.close());
  return { functions, assembly };
}

/** Answers every call of DynamoDB with one item, and remembers what was asked. */
export async function dynamodb(): Promise<{ url: string; calls: string[] }> {
  const calls: string[] = [];
  const server = createServer((request, response) => {
    calls.push(String(request.headers['x-amz-target']));
    request.resume();
    response.setHeader('content-type', 'application/x-amz-json-1.0').end('{"Item":{"pk":{"S":"o1"}}}');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  open.push(() => new Promise((closed) => server.close(closed).closeAllConnections()));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
}
