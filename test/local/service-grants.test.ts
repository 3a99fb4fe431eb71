import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assertServicesMay, grantedToFunctions, usedByServices } from '../../infra/local/service-grants.ts';
import { type RawTemplate, resolveStacks } from '../../infra/local/template.ts';
import { options } from './assembly.ts';
import { type ShopApp, synthesizeShop } from './shop-app.ts';

type RawResource = NonNullable<RawTemplate['Resources']>[string];

describe('the services of AWS', () => {
  let shop: ShopApp;
  beforeAll(() => {
    shop = synthesizeShop();
  });
  afterAll(() => shop[Symbol.dispose]());

  /** The shop without the resources that `isGone` says. */
  function templateWithout(isGone: (id: string, resource: RawResource) => boolean = () => false) {
    const stacks = ['Shop-Data', 'Shop'].map((name) => {
      const template: RawTemplate = JSON.parse(readFileSync(join(shop.assemblyDir, `${name}.template.json`), 'utf8'));
      const kept = Object.entries(template.Resources ?? {}).filter(([id, resource]) => !isGone(id, resource));
      return { name, template: { ...template, Resources: Object.fromEntries(kept) } };
    });
    return { ...resolveStacks(stacks, options), assetPath: () => '' };
  }

  test('may do what the template needs of them', () => {
    expect(() => assertServicesMay(templateWithout())).not.toThrow();
  });

  const isPermissionFor =
    (service: string) =>
    (_: string, { Type, Properties }: RawResource) =>
      Type === 'AWS::Lambda::Permission' && Properties?.Principal === `${service}.amazonaws.com`;
  const isPolicyOf =
    (role: string) =>
    (id: string, { Type }: RawResource) =>
      Type === 'AWS::IAM::Policy' && id.startsWith(role);

  test.each([
    [
      'rules calling functions',
      isPermissionFor('events'),
      /Shop\/OnPlaced.*AWS::Events::Rule.*denied lambda:InvokeFunction on .*listen/,
    ],
    [
      'the API calling functions',
      isPermissionFor('apigateway'),
      /AWS::ApiGatewayV2::Integration.*denied lambda:InvokeFunction/,
    ],
    [
      'workflows calling functions',
      isPolicyOf('FulfilmentRole'),
      /StateMachine.*denied lambda:InvokeFunction on .*task/,
    ],
    [
      'Lambda reading a stream',
      isPolicyOf('streamServiceRole'),
      /Shop\/stream.*denied dynamodb:DescribeStream on .*Orders.*stream/,
    ],
  ])('are not allowed %s by chance: the template must say so', (_, isGone, message) => {
    expect(() => assertServicesMay(templateWithout(isGone))).toThrow(message);
  });

  test('use the role of the function for streams and failures', () => {
    const template = templateWithout();
    const used = usedByServices(template);
    expect(used.map(({ action }) => action)).toEqual([
      'dynamodb:DescribeStream',
      'dynamodb:GetRecords',
      'dynamodb:GetShardIterator',
      'dynamodb:ListStreams',
      'sqs:SendMessage',
    ]);
    const granted = grantedToFunctions(template).map((each) => JSON.stringify(each));
    for (const each of used) expect(granted).toContain(JSON.stringify(each));
  });
});
