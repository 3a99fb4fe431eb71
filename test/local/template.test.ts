import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { HOMES } from '../../infra/local/homes.ts';
import { loadTemplate, type RawTemplate, resolveStacks } from '../../infra/local/template.ts';
import { assemblyOf, functionOf, options } from './assembly.ts';

const table = { Type: 'AWS::DynamoDB::GlobalTable', Properties: { KeySchema: [] } };
const stacks = (...templates: RawTemplate[]) =>
  resolveStacks(
    templates.map((template, index) => ({ name: index ? `Shop${index}` : 'Shop', template })),
    options,
  );

/** Text for `Fn::Sub`, with `<name>` for a reference. */
const sub = (text: string) => text.replaceAll('<', '${').replaceAll('>', '}');

/** The value of an expression, as a property of a resource beside a table and a queue. */
function resolved(expression: unknown, rest: RawTemplate = {}): unknown {
  const Resources = {
    Orders: table,
    Late: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'late' } },
    Any: { Type: 'AWS::CloudWatch::Dashboard', Properties: { value: expression } },
  };
  return stacks({ Resources, ...rest }).resources('AWS::CloudWatch::Dashboard')[0]?.properties.value;
}

describe('a value of the template', () => {
  test.each<[string, unknown, unknown]>([
    ['plain', { a: [1, 'b', null, true] }, { a: [1, 'b', null, true] }],
    ['Ref of a resource', { Ref: 'Orders' }, 'Shop-Orders'],
    ['Ref of a queue', { Ref: 'Late' }, 'https://sqs.ap-northeast-2.amazonaws.com/000000000000/late'],
    ['Ref of the region', { Ref: 'AWS::Region' }, 'ap-northeast-2'],
    [
      'GetAtt as a list',
      { 'Fn::GetAtt': ['Orders', 'Arn'] },
      'arn:aws:dynamodb:ap-northeast-2:000000000000:table/Shop-Orders',
    ],
    ['GetAtt as text', { 'Fn::GetAtt': 'Late.QueueName' }, 'late'],
    ['Join', { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':', { Ref: 'Orders' }]] }, 'arn:aws:Shop-Orders'],
    ['Sub', { 'Fn::Sub': sub('x<AWS::AccountId>-<Late.QueueName>-<!kept>') }, sub('x000000000000-late-<kept>')],
    ['Sub with values', { 'Fn::Sub': [sub('<name>'), { name: { Ref: 'Orders' } }] }, 'Shop-Orders'],
    ['Select of Split', { 'Fn::Select': [1, { 'Fn::Split': [':', 'a:b:c'] }] }, 'b'],
    ['NoValue in an object', { kept: 1, gone: { Ref: 'AWS::NoValue' } }, { kept: 1 }],
    ['NoValue in a list', ['kept', { Ref: 'AWS::NoValue' }], ['kept']],
    [
      'a policy condition, which is no intrinsic',
      { Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
      { Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
    ],
    ['If', { 'Fn::If': ['Korean', { Ref: 'Orders' }, 'no'] }, 'Shop-Orders'],
    ['a parameter', { Ref: 'Stage' }, 'dev'],
    ['FindInMap', { 'Fn::FindInMap': ['Sizes', { Ref: 'Stage' }, 'memory'] }, 256],
    ['ToJsonString', { 'Fn::ToJsonString': { name: { Ref: 'Orders' } } }, '{"name":"Shop-Orders"}'],
  ])('is resolved: %s', (_, expression, expected) => {
    const rest: RawTemplate = {
      Parameters: { Stage: { Type: 'String', Default: 'dev' } },
      Conditions: { Korean: { 'Fn::Or': [{ 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'ap-northeast-2'] }, false] } },
      Mappings: { Sizes: { dev: { memory: 256 } } },
    };
    expect(resolved(expression, rest)).toEqual(expected);
  });

  test.each([
    ['an unknown function', { 'Fn::Cidr': ['10.0.0.0/8', 1, 1] }, 'Fn::Cidr is not known in infra/local/intrinsics.ts'],
    [
      'an unknown attribute',
      { 'Fn::GetAtt': ['Orders', 'Colour'] },
      'Shop/Orders: AWS::DynamoDB::GlobalTable has no attribute "Colour"',
    ],
    ['a missing resource', { Ref: 'Nobody' }, 'Shop refers to "Nobody", which it does not contain'],
    ['a missing export', { 'Fn::ImportValue': 'Nothing' }, 'No stack exports "Nothing"'],
  ])('that is %s stops the boot and says where', (_, expression, message) => {
    expect(() => resolved(expression)).toThrow(message);
  });

  test('of another stack comes in through its exports', () => {
    const data: RawTemplate = {
      Resources: { Orders: table },
      Outputs: {
        Out: {
          Value: { 'Fn::GetAtt': ['Orders', 'Arn'] },
          Export: { Name: { 'Fn::Sub': sub('<AWS::StackName>:OrdersArn') } },
        },
      },
    };
    const shop: RawTemplate = {
      Resources: {
        Any: { Type: 'AWS::CloudWatch::Dashboard', Properties: { value: { 'Fn::ImportValue': 'Shop:OrdersArn' } } },
      },
      Outputs: { Out: { Value: 'second' } },
    };
    const template = stacks(data, shop);
    const arn = 'arn:aws:dynamodb:ap-northeast-2:000000000000:table/Shop-Orders';
    expect(template.resources('AWS::CloudWatch::Dashboard')[0]?.properties.value).toBe(arn);
    expect(template.outputs).toEqual({ Out: arn, 'Shop1.Out': 'second' });
    expect(template.byArn(arn)?.id).toBe('Orders');
    expect(template.byName('AWS::DynamoDB::GlobalTable', 'Shop-Orders')?.stack).toBe('Shop');
  });
});

describe('a resource', () => {
  test('of an unknown type stops the boot with its logical id and what to do', () => {
    const Resources = { Cluster: { Type: 'AWS::ECS::Cluster' } };
    expect(() => stacks({ Resources })).toThrow(
      /Shop\/Cluster is a AWS::ECS::Cluster.*entry in infra\/local\/homes\.ts/,
    );
  });

  test('whose condition does not hold is left out', () => {
    const Resources = { Orders: { ...table, Condition: 'Never' } };
    expect(stacks({ Resources, Conditions: { Never: { 'Fn::Not': [true] } } }).resources(table.Type)).toEqual([]);
  });

  test('keeps the made-up id of a user pool from boot to boot, in the shape AWS gives it', () => {
    const Resources = { Pool: { Type: 'AWS::Cognito::UserPool' }, Web: { Type: 'AWS::Cognito::UserPoolClient' } };
    const [first, second] = [stacks({ Resources }), stacks({ Resources })];
    const [pool] = first.resources('AWS::Cognito::UserPool');
    expect(pool?.name).toMatch(/^ap-northeast-2_[a-z0-9]{9}$/);
    expect(first.resources('AWS::Cognito::UserPoolClient')[0]?.name).toMatch(/^[a-z0-9]{26}$/);
    expect(second.resources('AWS::Cognito::UserPool')[0]?.name).toBe(pool?.name);
  });

  test('finds its code in the assembly', () => {
    using assembly = assemblyOf(functionOf('Greeter'), { Greeter: '' });
    const template = loadTemplate(assembly.dir, options);
    expect(template.assetPath('Greeter.zip')).toBe(join(assembly.dir, 'asset.Greeter'));
    expect(() => template.assetPath('other.zip')).toThrow('run "npm run synth" again');
  });
});

test('an assembly that is not there says how to make it', () => {
  expect(() => loadTemplate('/nowhere/cdk.out', options)).toThrow(
    '/nowhere/cdk.out holds no synthesized app: run "npm run synth" first.',
  );
});

test('every resource type is run by a file or says why it needs none', () => {
  const silent = Object.entries(HOMES).filter(
    ([, home]) => !('runs' in home ? home.runs.endsWith('.ts') : home.none.length > 10),
  );
  expect(silent).toEqual([]);
  expect(Object.keys(HOMES).length).toBeGreaterThan(30);
});
