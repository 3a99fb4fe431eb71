import { describe, expect, it } from 'vitest';
import { CAPABILITIES } from '../../functions/capabilities.ts';
import { scopeInToken } from '../../shared/auth.ts';
import { FUNCTION_ROLES, functionRoles } from '../../shared/contract.ts';
import { type Found, refersTo, resources } from './template.ts';

const functions = resources('AWS::Lambda::Function');
const policies = resources('AWS::IAM::Policy');
const alarms = resources('AWS::CloudWatch::Alarm');
const asList = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

const roleOf = (lambda: Found): string => lambda.properties.Role['Fn::GetAtt'][0];
const statementsOf = (lambda: Found) =>
  policies
    .filter(({ properties }) => refersTo(properties.Roles, roleOf(lambda)))
    .flatMap(({ properties }) => properties.PolicyDocument.Statement);

/** `functions/orders`, role `api` is the function whose description begins with `orders, api:`. */
const functionOf = (capability: string, role: string): Found => {
  const found = functions.find(({ properties }) =>
    String(properties.Description).startsWith(`${capability}, ${role}:`),
  );
  if (found === undefined) throw new Error(`no function for ${capability} ${role}`);
  return found;
};

describe('every function', () => {
  it('is there: one for each role of each capability, and the token trigger', () => {
    const expected = CAPABILITIES.flatMap(functionRoles).length + 1;
    expect(functions).toHaveLength(expected);
  });

  it.each(functions.map((lambda) => [lambda.id, lambda] as const))('%s is as ours are', (_, lambda) => {
    const { properties } = lambda;
    expect(properties.Runtime).toBe('nodejs24.x');
    expect(properties.Timeout).toBeLessThanOrEqual(60);
    expect(properties.TracingConfig.Mode).toBe('Active');
    expect(properties.LoggingConfig.LogFormat).toBe('JSON');
    expect(functions.filter((other) => roleOf(other) === roleOf(lambda))).toHaveLength(1);
    expect(alarms.some((alarm) => refersTo(alarm.properties.Dimensions, lambda.id))).toBe(true);
  });

  it.each(functions.map((lambda) => [lambda.id, lambda] as const))(
    '%s may do what it names and no more',
    (_, lambda) => {
      const statements = statementsOf(lambda);
      expect(statements.length).toBeGreaterThan(0);
      for (const { Action, Resource, Effect } of statements) {
        expect(Effect).toBe('Allow');
        const actions = asList<string>(Action);
        expect(actions.filter((action) => action.includes('*'))).toEqual([]);
        const isTracing = actions.every((action) => action.startsWith('xray:'));
        if (!isTracing) expect(asList(Resource)).not.toContain('*');
      }
    },
  );

  it('whose failure nobody waits for leaves it in the dead letters', () => {
    const configs = resources('AWS::Lambda::EventInvokeConfig');
    for (const lambda of functions.filter(({ properties }) => !String(properties.Handler).endsWith('preToken'))) {
      const config = configs.find(({ properties }) => refersTo(properties.FunctionName, lambda.id));
      expect(config?.properties.MaximumRetryAttempts, lambda.id).toBe(2);
      expect(config?.properties.DestinationConfig.OnFailure.Destination, lambda.id).toBeDefined();
    }
  });
});

/** What Lambda needs of the role to poll the stream for the function. */
const STREAM_READING = /^dynamodb:(DescribeStream|GetRecords|GetShardIterator|ListStreams)$/;

describe('every grant of a contract', () => {
  const cases = CAPABILITIES.flatMap((capability) =>
    FUNCTION_ROLES.filter((role) => functionRoles(capability).includes(role)).map(
      (role) => [`${capability.name}.${role}`, capability, role] as const,
    ),
  );
  it.each(cases)('%s is in the policy, to the letter', (_, capability, role) => {
    const granted = new Set(
      Object.values(capability.grants[role]?.tables ?? {}).flatMap((actions) =>
        actions.map((action) => `dynamodb:${action.split(':')[0]}`),
      ),
    );
    for (const action of capability.grants[role]?.workflow ?? []) granted.add(`states:${action}`);
    const written = new Set(
      statementsOf(functionOf(capability.name, role))
        .flatMap(({ Action }) => asList<string>(Action))
        .filter((action) => /^(dynamodb|states):/.test(action) && !STREAM_READING.test(action)),
    );
    expect([...written].sort()).toEqual([...granted].sort());
  });

  it.each(cases)('%s may read what it puts, to see whether it was put (ADR 19)', (_, { grants }, role) => {
    const tables = Object.entries(grants[role]?.tables ?? {}).filter(([name]) => name !== 'outbox');
    for (const [, actions] of tables) if (actions.includes('PutItem')) expect(actions).toContain('GetItem');
  });
});

describe('every route', () => {
  const routes = resources('AWS::ApiGatewayV2::Route');
  const operations = CAPABILITIES.flatMap(({ operations }) => Object.values(operations));

  it('is an operation, and every operation is a route, once', () => {
    const keys = routes.map(({ properties }) => properties.RouteKey).sort();
    expect(keys).toEqual(operations.map(({ route }) => route).sort());
    expect(new Set(keys).size).toBe(keys.length);
  });

  it.each(operations.map((operation) => [operation.route, operation] as const))(
    '%s asks for what its contract says',
    (route, { access }) => {
      const { properties } = routes.find((found) => found.properties.RouteKey === route)!;
      if (access.kind === 'anyone') {
        expect(properties.AuthorizationType).toBe('NONE');
      } else {
        expect(properties.AuthorizationType).toBe('JWT');
        expect(properties.AuthorizationScopes).toEqual(access.anyOf.map(scopeInToken));
      }
    },
  );
});

describe('every event', () => {
  const rules = resources('AWS::Events::Rule');

  it('that somebody listens to is emitted by somebody', () => {
    const emitted = CAPABILITIES.flatMap(({ emits }) => Object.values(emits).map(({ type }) => type));
    const heard = CAPABILITIES.flatMap(({ listens }) => Object.values(listens).map(({ type }) => type));
    expect(heard.filter((type) => !emitted.includes(type))).toEqual([]);
    expect(new Set(emitted).size).toBe(emitted.length);
  });

  it('reaches each listener by a rule that retries and then leaves it in the dead letters', () => {
    for (const capability of CAPABILITIES) {
      for (const [name, { type, source }] of Object.entries(capability.listens)) {
        const target = functionOf(capability.name, 'events');
        const rule = rules.find(
          ({ properties }) =>
            properties.EventPattern?.['detail-type']?.includes(type) && refersTo(properties.Targets, target.id),
        );
        expect(rule?.properties.EventPattern.source, `${capability.name} hears ${type}`).toEqual([source]);
        const needed = capability.onlyWith?.[name]?.map((field) => [field, [{ exists: true }]]);
        expect(rule?.properties.EventPattern.detail).toEqual(needed && { data: Object.fromEntries(needed) });
        expect(rule?.properties.Targets[0].DeadLetterConfig.Arn).toBeDefined();
        expect(rule?.properties.Targets[0].RetryPolicy.MaximumRetryAttempts).toBeGreaterThan(0);
      }
    }
  });

  it('leaves the outbox through a stream that splits, retries and gives up into a queue', () => {
    const mappings = resources('AWS::Lambda::EventSourceMapping');
    expect(mappings).toHaveLength(CAPABILITIES.filter(({ table }) => table?.stream === true).length);
    for (const { properties } of mappings) {
      expect(properties).toMatchObject({
        BisectBatchOnFunctionError: true,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        StartingPosition: 'TRIM_HORIZON',
      });
      expect(properties.MaximumRetryAttempts).toBeGreaterThan(0);
      expect(properties.DestinationConfig.OnFailure.Destination).toBeDefined();
      expect(properties.FilterCriteria.Filters).toHaveLength(1);
    }
  });
});

describe('what holds data', () => {
  it('is kept, protected and restorable to any second', () => {
    const tables = resources('AWS::DynamoDB::GlobalTable');
    expect(tables).toHaveLength(CAPABILITIES.filter(({ table }) => table !== undefined).length);
    for (const { resource, properties } of tables) {
      expect(resource.DeletionPolicy).toBe('Retain');
      expect(resource.UpdateReplacePolicy).toBe('Retain');
      const [replica] = properties.Replicas;
      expect(replica.DeletionProtectionEnabled).toBe(true);
      expect(replica.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled).toBe(true);
      expect(properties.SSESpecification.SSEEnabled).toBe(true);
    }
    const [pool] = resources('AWS::Cognito::UserPool');
    expect(pool?.resource.DeletionPolicy).toBe('Retain');
    expect(pool?.properties.DeletionProtection).toBe('ACTIVE');
  });

  it('every queue of dead letters has an alarm', () => {
    const queues = resources('AWS::SQS::Queue');
    expect(queues.length).toBeGreaterThan(0);
    for (const queue of queues) {
      expect(
        alarms.some((alarm) => refersTo(alarm.properties.Dimensions, queue.id)),
        queue.id,
      ).toBe(true);
    }
  });
});
