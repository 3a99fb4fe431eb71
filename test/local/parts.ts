import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Functions } from '../../infra/local/deliveries.ts';
import type { Properties, Resource } from '../../infra/local/template.ts';

export const REGION = 'ap-northeast-2';
export const ACCOUNT = '000000000000';

/** A directory that is gone after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ieum-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const ARNS: Record<string, (name: string) => string> = {
  'AWS::DynamoDB::GlobalTable': (name) => `dynamodb:${REGION}:${ACCOUNT}:table/${name}`,
  'AWS::Events::Archive': (name) => `events:${REGION}:${ACCOUNT}:archive/${name}`,
  'AWS::Events::EventBus': (name) => `events:${REGION}:${ACCOUNT}:event-bus/${name}`,
  'AWS::Events::Rule': (name) => `events:${REGION}:${ACCOUNT}:rule/${name}`,
  'AWS::Lambda::EventInvokeConfig': (name) => name,
  'AWS::Lambda::EventSourceMapping': (name) => `lambda:${REGION}:${ACCOUNT}:event-source-mapping:${name}`,
  'AWS::Lambda::Function': (name) => `lambda:${REGION}:${ACCOUNT}:function:${name}`,
  'AWS::SQS::Queue': (name) => `sqs:${REGION}:${ACCOUNT}:${name}`,
  'AWS::StepFunctions::StateMachine': (name) => `states:${REGION}:${ACCOUNT}:stateMachine:${name}`,
};

/** A resource as the template gives it. */
export function resource(type: string, name: string, properties: Properties = {}): Resource {
  return { stack: 'Ieum-test', id: name, type, name, arn: `arn:aws:${ARNS[type]!(name)}`, properties };
}

export const arnOf = (type: string, name: string): string => resource(type, name).arn;
export const functionArn = (name: string): string => arnOf('AWS::Lambda::Function', name);
export const queueArn = (name: string): string => arnOf('AWS::SQS::Queue', name);

/** The error of a function whose code failed, as the function host makes it. */
export class CodeFailure extends Error {
  override name = 'FunctionError';
  errorType = 'Error';
}

/** Functions that are plain code here; each call is recorded. */
export function fakeFunctions(
  code: Record<string, (event: never) => unknown> = {},
): Functions & { calls: { name: string; event: Properties }[] } {
  const calls: { name: string; event: Properties }[] = [];
  return {
    calls,
    invoke: async (arn, event) => {
      const name = arn.split(':').at(-1)!;
      calls.push({ name, event: JSON.parse(JSON.stringify(event)) });
      return code[name]?.(event as never);
    },
  };
}
