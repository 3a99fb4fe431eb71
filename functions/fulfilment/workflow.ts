import type { Method, WantedWork } from './contract.ts';

/**
 * The workflow of one fulfilment order, as Amazon States Language (JSONPath). It waits and branches; every decision is
 * made by the tasks. A delivery takes three states: Offer, Answered, Ship. Data only: the stack and tests read it.
 */

const DAY_SECONDS = 24 * 3600;

/** How long goods wait at the counter, from acceptance. */
export const COLLECT_WITHIN_SECONDS = 7 * DAY_SECONDS;
/** A parcel that is not delivered by then is somebody's to look into. */
export const SHIP_WITHIN_SECONDS = 21 * DAY_SECONDS;

/** What an execution starts with. It is named after the fulfilment order, so a second start is none. */
export interface WorkflowInput extends WantedWork {
  method: Method;
  /** How long the node has to answer. */
  answerWithinSeconds: number;
}

/**
 * Everything that a task can fail with, time-outs aside: those are business here. Tasks may run again (rule 17), and do
 * so for a day, because a paid order whose workflow gave up would wait for somebody to notice. Whoever has to notice that
 * a task fails hears of it from the alarm on its function.
 */
const RETRY = [
  {
    ErrorEquals: ['States.TaskFailed'],
    IntervalSeconds: 2,
    MaxAttempts: 600,
    BackoffRate: 2,
    MaxDelaySeconds: 300,
    JitterStrategy: 'FULL',
  },
];

const onTimeout = (next: string) => [{ ErrorEquals: ['States.Timeout'], ResultPath: '$.timeout', Next: next }];

/** The state machine, whose tasks are all done by one function. */
export const fulfilmentWorkflow = (tasksFunctionArn: string) => {
  const run = (task: string) => ({
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: { FunctionName: tasksFunctionArn, Payload: { task, 'input.$': '$' } },
    Retry: RETRY,
  });
  const waitFor = (task: string) => ({
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
    Parameters: {
      FunctionName: tasksFunctionArn,
      Payload: { task, 'input.$': '$', 'token.$': '$$.Task.Token' },
    },
    Retry: RETRY,
  });
  const isAnswered = (answer: string) => ({ Variable: '$.offer.answer', StringEquals: answer });
  return {
    Comment: 'One fulfilment order: offered to its node, worked on or sourced anew, until the customer has the goods.',
    StartAt: 'Offer',
    States: {
      Offer: {
        ...waitFor('offer'),
        TimeoutSecondsPath: '$.answerWithinSeconds',
        ResultPath: '$.offer',
        Catch: onTimeout('Resource'),
        Next: 'Answered',
      },
      Answered: {
        Type: 'Choice',
        Choices: [
          { And: [isAnswered('ACCEPTED'), { Variable: '$.method', StringEquals: 'SHIP' }], Next: 'Ship' },
          { ...isAnswered('ACCEPTED'), Next: 'Collect' },
          { ...isAnswered('RESOLVED'), Next: 'Resolved' },
        ],
        Default: 'Resource',
      },
      // A node that accepts while its time runs out keeps the work: then the task answers ACCEPTED.
      Resource: {
        ...run('resource'),
        ResultSelector: { 'answer.$': '$.Payload.answer' },
        ResultPath: '$.offer',
        Next: 'Answered',
      },
      Ship: { ...waitFor('awaitDone'), TimeoutSeconds: SHIP_WITHIN_SECONDS, Catch: onTimeout('Overdue'), End: true },
      Collect: {
        ...waitFor('awaitDone'),
        TimeoutSeconds: COLLECT_WITHIN_SECONDS,
        Catch: onTimeout('Restock'),
        End: true,
      },
      Restock: { ...run('restock'), End: true },
      Resolved: { Type: 'Succeed' },
      Overdue: {
        Type: 'Fail',
        Error: 'DeliveryOverdue',
        Cause: 'The parcel was not delivered within three weeks. Ask the carrier, then deliver or refund by hand.',
      },
    },
  };
};
