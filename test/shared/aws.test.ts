import { expect, it } from 'vitest';
import { callerOf, functionsClient } from '../../shared/aws.ts';
import type { Connection } from '../../shared/connection.ts';
import { DYNAMODB } from '../../shared/dynamo.ts';
import type { Env } from '../../shared/env.ts';

/** What a function with this environment sends. */
const sentWith = async (env: Env) => {
  const sent: Parameters<Connection['send']>[0][] = [];
  const connection: Connection = {
    send: async (request) => {
      sent.push(request);
      return { status: 200, text: '{}' };
    },
  };
  const role = { AWS_REGION: 'ap-northeast-2', AWS_ACCESS_KEY_ID: 'ASIA', AWS_SECRET_ACCESS_KEY: 'secret', ...env };
  const around = { connection, clockMs: Date.now, random: Math.random, sleep: async () => {} };
  await callerOf(functionsClient(role, DYNAMODB), DYNAMODB, around)('GetItem', {});
  return sent[0]!;
};

it.each([
  ['AWS', {}, 'https:', 'dynamodb.ap-northeast-2.amazonaws.com', undefined],
  [
    'AWS in China',
    { AWS_REGION: 'cn-north-1', URL_SUFFIX: 'amazonaws.com.cn' },
    ...(['https:', 'dynamodb.cn-north-1.amazonaws.com.cn', undefined] as const),
  ],
  ['another endpoint', { AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:8000' }, 'http:', '127.0.0.1', 8000],
])('a function calls %s as its environment says', async (_, env, protocol, hostname, port) => {
  expect(await sentWith(env)).toMatchObject({ protocol, hostname, ...(port === undefined ? {} : { port }) });
});

it('a function calls with its role’s credentials, the session’s token signed with the rest', async () => {
  const { headers } = await sentWith({ AWS_SESSION_TOKEN: 'session' });
  const header = (name: string) => headers[headers.indexOf(name) + 1];
  expect(header('x-amz-security-token')).toBe('session');
  expect(header('authorization')).toMatch(/Credential=ASIA\/\d{8}\/ap-northeast-2\/dynamodb.*x-amz-security-token/);
});

it('a function without credentials says which variable it misses', async () => {
  await expect(sentWith({ AWS_SECRET_ACCESS_KEY: '' })).rejects.toThrow('AWS_SECRET_ACCESS_KEY');
});
