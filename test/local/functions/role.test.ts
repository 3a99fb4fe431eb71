import { describe, expect, test } from 'vitest';
import { arn, dynamodb, host } from './fixture.ts';

describe('the role of a function', () => {
  const orders = 'arn:aws:dynamodb:ap-northeast-2:000000000000:table/orders';
  /** Calls DynamoDB with the real SDK, as bundles do. */
  const sdk = `
    import { createRequire } from 'node:module';
    const require = createRequire(${JSON.stringify(import.meta.url)});
    const { DynamoDBClient, GetItemCommand } = require('@aws-sdk/client-dynamodb');
    const client = new DynamoDBClient({});
    let attempts = 0;
    client.middlewareStack.add((next) => (args) => { attempts++; return next(args); }, { step: 'finalizeRequest', priority: 'low' });
    export const handler = async (event) => {
      if (event.count) return attempts;
      const answer = await client.send(new GetItemCommand({ TableName: event.table, Key: { pk: { S: 'o1' } } }));
      return { item: answer.Item };
    };`;

  const statements = [{ Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: orders }];

  test('lets through what it grants, and tells what was used', async () => {
    const { url, calls } = await dynamodb();
    const { functions } = host(sdk, { statements, environment: { AWS_ENDPOINT_URL_DYNAMODB: url } });
    await functions.invoke(arn, { table: 'orders' });
    expect(await functions.invoke(arn, { table: 'orders' })).toEqual({ item: { pk: { S: 'o1' } } });
    expect(calls).toHaveLength(2);
    expect(functions.used()).toEqual([{ functionArn: arn, action: 'dynamodb:GetItem', resource: orders }]);
  });

  test.each([
    ['as a list, as bundles send them', "headers: ['host', 'here', 'X-Amz-Target', TARGET]"],
    ['as a list of pairs', "headers: [['host', 'here'], ['x-amz-target', TARGET]]"],
    ['as an object', "headers: { 'X-Amz-Target': TARGET }"],
    ['with a list of values', "headers: { 'x-amz-target': [TARGET] }"],
    ['afterwards', ''],
  ])('judges a call whose headers are given %s', async (_, headers) => {
    const { url, calls } = await dynamodb();
    const code = `
      import http from 'node:http';
      const TARGET = 'DynamoDB_20120810.GetItem';
      export const handler = ({ table }) => new Promise((resolve, reject) => {
        const request = http.request('${url}', { method: 'POST', ${headers} }, (answer) => resolve(answer.statusCode));
        if (${headers === ''}) request.setHeader('x-amz-target', TARGET);
        request.once('error', reject);
        request.end(JSON.stringify({ TableName: table, Key: { pk: { S: 'o1' } } }));
      });`;
    const { functions } = host(code, { statements });
    await expect(functions.invoke(arn, { table: 'customers' })).rejects.toMatchObject({
      errorType: 'AccessDeniedException',
    });
    expect(calls).toEqual([]);
    expect(await functions.invoke(arn, { table: 'orders' })).toBe(200);
  });

  test('refuses what it does not grant before anything is sent, once and by name', async () => {
    const { url, calls } = await dynamodb();
    const { functions } = host(sdk, { statements, environment: { AWS_ENDPOINT_URL_DYNAMODB: url } });
    await expect(functions.invoke(arn, { table: 'customers' })).rejects.toMatchObject({
      errorType: 'AccessDeniedException',
      message: `Shop-Greeter is not authorized to perform: dynamodb:GetItem on resource: ${orders.replace('orders', 'customers')}`,
    });
    expect(calls).toEqual([]);
    expect(await functions.invoke(arn, { count: true })).toBe(1);
    expect(functions.used()).toEqual([]);
  });

  test('never reaches the real cloud when a service has no local endpoint', async () => {
    const { functions } = host(sdk, { statements });
    await expect(functions.invoke(arn, { table: 'orders' })).rejects.toThrow(
      'no home for dynamodb.ap-northeast-2.amazonaws.com',
    );
  });
});
