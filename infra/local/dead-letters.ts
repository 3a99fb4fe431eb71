import { randomUUID } from 'node:crypto';

/** A message for a failure destination, shaped as AWS shapes it. */
export interface Letter {
  queueArn: string;
  body: string;
  attributes: Record<string, string>;
}

/** What a function's failure carries (FunctionError of the function host). */
interface FunctionFailure extends Error {
  errorType: string;
  trace?: string[];
}

/** True when the function's own code failed, as opposed to not being reached. */
export const isFunctionFailure = (error: unknown): error is FunctionFailure =>
  error instanceof Error && typeof (error as FunctionFailure).errorType === 'string';

/** Failures that no retry mends; EventBridge gives up at once. */
const PERMANENT: Record<string, string> = {
  ResourceNotFoundException: 'RESOURCE_NOT_FOUND',
  StateMachineDoesNotExist: 'RESOURCE_NOT_FOUND',
  AccessDeniedException: 'NO_PERMISSIONS',
};
export const isPermanent = (error: unknown): boolean => error instanceof Error && error.name in PERMANENT;

/** What EventBridge puts into a rule target's dead-letter queue: the target's input, the reason as attributes. */
export function ruleLetter(facts: {
  queueArn: string;
  ruleArn: string;
  targetArn: string;
  input: string;
  error: unknown;
  retries: number;
  tooOld: boolean;
}): Letter {
  const { error } = facts;
  const name = error instanceof Error ? error.name : 'Error';
  return {
    queueArn: facts.queueArn,
    body: facts.input,
    attributes: {
      RULE_ARN: facts.ruleArn,
      TARGET_ARN: facts.targetArn,
      ERROR_CODE: PERMANENT[name] ?? 'SDK_CLIENT_ERROR',
      ERROR_MESSAGE: error instanceof Error ? error.message : String(error),
      RETRY_ATTEMPTS: String(facts.retries),
      ...(isPermanent(error)
        ? {}
        : { EXHAUSTED_RETRY_CONDITION: facts.tooOld ? 'MaximumEventAgeInSeconds' : 'MaximumRetryAttempts' }),
    },
  };
}

/** The record that Lambda sends to the on-failure destination of an asynchronous invocation. */
export function destinationLetter(facts: {
  queueArn: string;
  functionArn: string;
  input: string;
  error: FunctionFailure;
  attempts: number;
  tooOld: boolean;
  at: number;
}): Letter {
  const { error } = facts;
  const head = JSON.stringify({
    version: '1.0',
    timestamp: new Date(facts.at).toISOString(),
    requestContext: {
      requestId: randomUUID(),
      functionArn: `${facts.functionArn}:$LATEST`,
      condition: facts.tooOld ? 'EventAgeExceeded' : 'RetriesExhausted',
      approximateInvokeCount: facts.attempts,
    },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    responsePayload: { errorType: error.errorType, errorMessage: error.message, trace: error.trace ?? [] },
  });
  return { queueArn: facts.queueArn, body: `${head.slice(0, -1)},"requestPayload":${facts.input}}`, attributes: {} };
}

/** What Lambda puts into a function's own dead-letter queue (`DeadLetterConfig`). */
export function functionLetter(facts: { queueArn: string; input: string; error: FunctionFailure }): Letter {
  return {
    queueArn: facts.queueArn,
    body: facts.input,
    attributes: { RequestID: randomUUID(), ErrorCode: '200', ErrorMessage: facts.error.message.slice(0, 1024) },
  };
}

/** What Lambda sends when it gives up on a batch of stream records: where they are, not what they hold. */
export function batchLetter(facts: {
  queueArn: string;
  functionArn: string;
  streamArn: string;
  condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded';
  invokeCount: number;
  records: { SequenceNumber: string; ApproximateCreationDateTime: number }[];
  at: number;
}): Letter {
  const iso = (seconds = 0): string => new Date(seconds * 1000).toISOString();
  const first = facts.records[0];
  const last = facts.records.at(-1);
  return {
    queueArn: facts.queueArn,
    attributes: {},
    body: JSON.stringify({
      requestContext: {
        requestId: randomUUID(),
        functionArn: facts.functionArn,
        condition: facts.condition,
        approximateInvokeCount: facts.invokeCount,
      },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      timestamp: new Date(facts.at).toISOString(),
      DDBStreamBatchInfo: {
        shardId: 'shardId-00000001',
        startSequenceNumber: first?.SequenceNumber,
        endSequenceNumber: last?.SequenceNumber,
        approximateArrivalOfFirstRecord: iso(first?.ApproximateCreationDateTime),
        approximateArrivalOfLastRecord: iso(last?.ApproximateCreationDateTime),
        batchSize: facts.records.length,
        streamArn: facts.streamArn,
      },
    }),
  };
}
