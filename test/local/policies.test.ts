import { describe, expect, test } from 'vitest';
import { needsOf } from '../../infra/local/access.ts';
import { policyOf, type Statement, statementsOf } from '../../infra/local/policies.ts';
import { resolveStacks } from '../../infra/local/template.ts';
import { options } from './assembly.ts';

const arnOf = (service: string, resource: string) => `arn:aws:${service}:ap-northeast-2:000000000000:${resource}`;
const orders = arnOf('dynamodb', 'table/orders');

const allow = (Action: string | string[], Resource: string | string[], rest: Partial<Statement> = {}): Statement => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...rest,
});
const deny = (Action: string, Resource: string): Statement => ({ Effect: 'Deny', Action, Resource });

describe('a policy', () => {
  test.each<[string, Statement[], string, string, boolean]>([
    ['grants nothing when empty', [], 'dynamodb:GetItem', orders, false],
    ['grants the action on the resource', [allow('dynamodb:GetItem', orders)], 'dynamodb:GetItem', orders, true],
    ['does not grant another action', [allow('dynamodb:GetItem', orders)], 'dynamodb:PutItem', orders, false],
    ['does not grant another resource', [allow('dynamodb:GetItem', orders)], 'dynamodb:GetItem', `${orders}2`, false],
    ['takes actions in any case', [allow('DynamoDB:getitem', orders)], 'dynamodb:GetItem', orders, true],
    [
      'takes resources in their own case',
      [allow('dynamodb:GetItem', orders)],
      'dynamodb:GetItem',
      orders.toUpperCase(),
      false,
    ],
    [
      'grants a list of actions',
      [allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [orders])],
      'dynamodb:PutItem',
      orders,
      true,
    ],
    ['grants by wildcard in the action', [allow('dynamodb:*Item', orders)], 'dynamodb:PutItem', orders, true],
    ['ends a wildcard where it ends', [allow('dynamodb:*Item', orders)], 'dynamodb:PutItems', orders, false],
    [
      'grants by wildcard in the resource',
      [allow('dynamodb:Query', `${orders}/index/*`)],
      'dynamodb:Query',
      `${orders}/index/by-x`,
      true,
    ],
    [
      'does not grant the table by its indexes',
      [allow('dynamodb:Query', `${orders}/index/*`)],
      'dynamodb:Query',
      orders,
      false,
    ],
    [
      'takes one character for a question mark',
      [allow('sqs:SendMessage', 'queue-?')],
      'sqs:SendMessage',
      'queue-12',
      false,
    ],
    ['takes a dot as a dot', [allow('sqs:SendMessage', 'a.b')], 'sqs:SendMessage', 'axb', false],
    [
      'is overruled by a denial',
      [allow('dynamodb:*', '*'), deny('dynamodb:DeleteItem', '*')],
      'dynamodb:DeleteItem',
      orders,
      false,
    ],
    [
      'is not overruled by a denial of something else',
      [allow('dynamodb:*', '*'), deny('dynamodb:DeleteItem', '*')],
      'dynamodb:GetItem',
      orders,
      true,
    ],
    [
      'grants all but NotAction',
      [{ Effect: 'Allow', NotAction: 'dynamodb:DeleteItem', Resource: '*' }],
      'dynamodb:DeleteItem',
      orders,
      false,
    ],
    [
      'grants the rest of NotAction',
      [{ Effect: 'Allow', NotAction: 'dynamodb:DeleteItem', Resource: '*' }],
      'dynamodb:GetItem',
      orders,
      true,
    ],
    [
      'grants all but NotResource',
      [{ Effect: 'Allow', Action: '*', NotResource: orders }],
      'dynamodb:GetItem',
      orders,
      false,
    ],
  ])('%s', (_, statements, action, resource, expected) => {
    const policy = policyOf(statements);
    expect(policy({ action, resource })).toBe(expected);
    expect(policy({ action, resource })).toBe(expected);
  });

  test.each<[string, Statement['Condition'], Record<string, string[]>, boolean]>([
    [
      'all keys match',
      { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['STORE#*'] } },
      { 'dynamodb:LeadingKeys': ['STORE#1', 'STORE#2'] },
      true,
    ],
    [
      'one key does not match',
      { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['STORE#*'] } },
      { 'dynamodb:LeadingKeys': ['STORE#1', 'ORDER#2'] },
      false,
    ],
    [
      'ForAllValues without a value, as IAM has it',
      { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': 'A' } },
      {},
      true,
    ],
    [
      'ForAnyValue with one match',
      { 'ForAnyValue:StringEquals': { 'dynamodb:LeadingKeys': 'A' } },
      { 'dynamodb:LeadingKeys': ['B', 'A'] },
      true,
    ],
    ['ForAnyValue without a value', { 'ForAnyValue:StringEquals': { 'dynamodb:LeadingKeys': 'A' } }, {}, false],
    ['equality of a missing key', { StringEquals: { 'events:source': 'orders' } }, {}, false],
    ['equality of a missing key, if it exists', { StringEqualsIfExists: { 'events:source': 'orders' } }, {}, true],
    ['inequality', { StringNotEquals: { 'events:source': 'orders' } }, { 'events:source': ['orders'] }, false],
    [
      'two conditions, one of which fails',
      { StringEquals: { 'events:source': 'orders', 'events:detail-type': 'x' } },
      { 'events:source': ['orders'], 'events:detail-type': ['y'] },
      false,
    ],
  ])('judges conditions: %s', (_, Condition, context, expected) => {
    const policy = policyOf([allow('*', '*', { Condition: Condition! })]);
    expect(policy({ action: 'dynamodb:GetItem', resource: orders, context })).toBe(expected);
  });

  test('with a condition that is not known here is never taken for granted', () => {
    const policy = policyOf([allow('*', '*', { Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } })]);
    expect(() =>
      policy({ action: 'dynamodb:GetItem', resource: orders, context: { 'aws:SourceIp': ['10.0.0.1'] } }),
    ).toThrow('IpAddress on aws:SourceIp is not known');
  });

  test('of a role is everything that is inline, attached or managed', () => {
    const document = (action: string) => ({ Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }] });
    const Resources = {
      Role: {
        Type: 'AWS::IAM::Role',
        Properties: {
          Policies: [{ PolicyDocument: document('a:Inline') }],
          ManagedPolicyArns: ['arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole', { Ref: 'Managed' }],
        },
      },
      Attached: {
        Type: 'AWS::IAM::Policy',
        Properties: { Roles: [{ Ref: 'Role' }], PolicyDocument: document('a:Attached') },
      },
      Managed: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: document('a:Managed') } },
      Foreign: { Type: 'AWS::IAM::Policy', Properties: { Roles: ['another'], PolicyDocument: document('a:Foreign') } },
    };
    const template = resolveStacks([{ name: 'Shop', template: { Resources } }], options);
    const actions = statementsOf(template, 'arn:aws:iam::000000000000:role/Shop-Role').map(({ Action }) => Action);
    expect(actions.sort()).toEqual(['a:Attached', 'a:Inline', 'a:Managed']);
  });
});

describe('a request needs', () => {
  const machines = [arnOf('states', 'stateMachine:fulfil')];
  const surroundings = {
    ...options,
    partitionKeys: { orders: 'pk', 'orders/index/by-x': 'x' },
    stateMachineArns: machines,
  };
  const needs = (target: string, body: object) => needsOf(target, body, surroundings);
  const leading = (...keys: string[]) => ({ 'dynamodb:LeadingKeys': keys });
  const Key = { pk: { S: 'o1' }, sk: { S: 'x' } };
  const item = (action: string, context: object) => [{ action: `dynamodb:${action}`, resource: orders, context }];

  test.each<[string, object, object[][]]>([
    ['GetItem', { TableName: 'orders', Key }, [item('GetItem', leading('o1'))]],
    ['PutItem', { TableName: 'orders', Item: Key }, [item('PutItem', leading('o1'))]],
    ['UpdateItem', { TableName: orders, Key }, [item('UpdateItem', leading('o1'))]],
    [
      'BatchGetItem',
      { RequestItems: { orders: { Keys: [Key, { pk: { S: 'o2' } }] } } },
      [item('BatchGetItem', leading('o1', 'o2'))],
    ],
    [
      'BatchWriteItem',
      { RequestItems: { orders: [{ PutRequest: { Item: Key } }, { DeleteRequest: { Key: { pk: { S: 'o2' } } } }] } },
      [item('BatchWriteItem', leading('o1', 'o2'))],
    ],
    [
      'TransactGetItems',
      { TransactItems: [{ Get: { TableName: 'orders', Key } }] },
      [item('GetItem', { ...leading('o1'), 'dynamodb:EnclosingOperation': ['TransactGetItems'] })],
    ],
    ['Scan', { TableName: 'orders' }, [item('Scan', leading())]],
    [
      'Query',
      {
        TableName: 'orders',
        KeyConditionExpression: '#s = :s AND #p = :p',
        ExpressionAttributeNames: { '#p': 'pk', '#s': 'sk' },
        ExpressionAttributeValues: { ':p': { S: 'o1' }, ':s': { S: 'x' } },
      },
      [item('Query', leading('o1'))],
    ],
    [
      'Query',
      {
        TableName: 'orders',
        IndexName: 'by-x',
        KeyConditionExpression: 'x=:p',
        ExpressionAttributeValues: { ':p': { S: 'X' } },
      },
      [[{ action: 'dynamodb:Query', resource: `${orders}/index/by-x`, context: leading('X') }]],
    ],
  ])('for DynamoDB %s the action on the table', (operation, body, expected) => {
    expect(needs(`DynamoDB_20120810.${operation}`, body)).toEqual(expected);
  });

  test('for a transaction the action of each of its writes', () => {
    const body = {
      TransactItems: [
        { Put: { TableName: 'orders', Item: Key } },
        { Update: { TableName: 'orders', Key } },
        { Delete: { TableName: 'orders', Key } },
        { ConditionCheck: { TableName: 'stock', Key } },
      ],
    };
    const found = needs('DynamoDB_20120810.TransactWriteItems', body).flat();
    expect(found.map(({ action, resource }) => `${action} ${resource.split('/')[1]}`)).toEqual([
      'dynamodb:PutItem orders',
      'dynamodb:UpdateItem orders',
      'dynamodb:DeleteItem orders',
      'dynamodb:ConditionCheckItem stock',
    ]);
    expect(found[0]?.context).toEqual({ ...leading('o1'), 'dynamodb:EnclosingOperation': ['TransactWriteItems'] });
  });

  test('for events the bus of every entry', () => {
    const body = {
      Entries: [
        { EventBusName: 'shop', Source: 's', DetailType: 't' },
        { EventBusName: arnOf('events', 'event-bus/shop') },
        {},
      ],
    };
    const found = needs('AWSEvents.PutEvents', body).flat();
    expect(found.map(({ resource }) => resource)).toEqual([
      arnOf('events', 'event-bus/shop'),
      arnOf('events', 'event-bus/shop'),
      arnOf('events', 'event-bus/default'),
    ]);
    expect(found[0]?.context).toEqual({ 'events:source': ['s'], 'events:detail-type': ['t'] });
  });

  test.each([
    ['AWSStepFunctions.StartExecution', { stateMachineArn: machines[0] }, 'states:StartExecution', machines],
    ['AWSStepFunctions.SendTaskSuccess', { taskToken: 't' }, 'states:SendTaskSuccess', [...machines, '*']],
    ['AmazonSQS.SendMessage', { QueueUrl: 'https://sqs/000000000000/late' }, 'sqs:SendMessage', [arnOf('sqs', 'late')]],
    [
      'AmazonSQS.SendMessageBatch',
      { QueueUrl: 'https://sqs/000000000000/late' },
      'sqs:SendMessage',
      [arnOf('sqs', 'late')],
    ],
    [
      'AWSCognitoIdentityProviderService.AdminGetUser',
      { UserPoolId: 'p_1' },
      'cognito-idp:AdminGetUser',
      [arnOf('cognito-idp', 'userpool/p_1')],
    ],
  ])('for %s one action, on any of its resources', (target, body, action, resources) => {
    expect(needs(target, body)).toEqual([resources.map((resource) => ({ action, resource }))]);
  });

  test('what nobody has taught it, which is an error and no permission', () => {
    expect(() => needs('TrentService.Encrypt', {})).toThrow('cannot judge a call of TrentService.Encrypt');
  });
});
