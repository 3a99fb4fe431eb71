import { existsSync } from 'node:fs';
import { Server } from 'node:net';
import { join } from 'node:path';
import type { FauxqsServer } from 'fauxqs';
import type { Resource } from './template.ts';

/** How full a queue is. */
interface QueueDepth {
  name: string;
  arn: string;
  /** Messages that can be received now. */
  visible: number;
  inFlight: number;
  delayed: number;
}

interface SendOptions {
  /** Message attributes of type String. */
  attributes?: Record<string, string>;
  /** FIFO queues only. */
  groupId?: string;
  deduplicationId?: string;
}

/**
 * The SQS queues of the template, in fauxqs, kept in `<dataDir>/queues`. Starts with the first message or question,
 * because most runs have no dead letter and a boot should not wait for it.
 */
export class Queues {
  readonly #options: { dataDir: string; queues: Resource[]; region: string };
  readonly #dataDir: string;
  #server: Promise<FauxqsServer> | undefined;

  constructor(options: { dataDir: string; queues: Resource[]; region: string }) {
    this.#options = options;
    this.#dataDir = join(options.dataDir, 'queues');
  }

  /** Base URL for SQS clients; starts the server. */
  async endpoint(): Promise<string> {
    return (await this.#started()).address;
  }

  /** Resolves with the message id once the message is on disk. Rejects when there is no such queue. */
  async send(queueArn: string, body: string, options: SendOptions = {}): Promise<string> {
    const { name, properties } = this.#queue(queueArn);
    const server = await this.#started();
    const attributes = Object.entries(options.attributes ?? {});
    return server.sendMessage(name, body, {
      region: this.#options.region,
      messageAttributes: Object.fromEntries(
        attributes.map(([key, value]) => [key, { DataType: 'String', StringValue: value }]),
      ),
      ...(properties.FifoQueue ? { messageGroupId: options.groupId ?? 'default' } : {}),
      ...(options.deduplicationId ? { messageDeduplicationId: options.deduplicationId } : {}),
    }).messageId;
  }

  /** Every queue of the template, without starting the server when nothing was ever sent. */
  async depths(): Promise<QueueDepth[]> {
    const untouched = !this.#server && !existsSync(join(this.#dataDir, 'fauxqs.db'));
    const server = untouched ? undefined : await this.#started();
    return this.#options.queues.map(({ name, arn }) => {
      const messages = server?.inspectQueue(name)?.messages;
      return {
        name,
        arn,
        visible: messages?.ready.length ?? 0,
        inFlight: messages?.inflight.length ?? 0,
        delayed: messages?.delayed.length ?? 0,
      };
    });
  }

  /** Bodies and attributes of the messages that can be received now, without receiving them. */
  async peek(queueArn: string): Promise<{ body: string; attributes: Record<string, string> }[]> {
    const messages = (await this.#started()).inspectQueue(this.#queue(queueArn).name)?.messages.ready ?? [];
    return messages.map(({ body, messageAttributes }) => ({
      body,
      attributes: Object.fromEntries(
        Object.entries(messageAttributes).map(([key, value]) => [key, value.StringValue ?? '']),
      ),
    }));
  }

  async close(): Promise<void> {
    await (await this.#server)?.stop();
  }

  #queue(queueArn: string): Resource {
    const queue = this.#options.queues.find(({ arn }) => arn === queueArn);
    if (queue) return queue;
    throw Object.assign(new Error(`There is no queue ${queueArn} in the template`), {
      name: 'ResourceNotFoundException',
    });
  }

  #started(): Promise<FauxqsServer> {
    this.#server ??= this.#start();
    return this.#server;
  }

  async #start(): Promise<FauxqsServer> {
    const { startFauxqs } = await import('fauxqs');
    const { region, queues } = this.#options;
    const server = await onLoopback(() =>
      startFauxqs({ port: 0, logger: false, dataDir: this.#dataDir, defaultRegion: region }),
    );
    for (const { name, properties } of queues) {
      const attributes = attributesOf(properties);
      // fauxqs replaces a queue that is created again, and its messages with it.
      if (!server.inspectQueue(name)) server.createQueue(name, { region, attributes });
      else await setAttributes(server, name, attributes);
    }
    return server;
  }
}

/** The CloudFormation properties that are queue attributes of the same name. */
const ATTRIBUTES = [
  'ContentBasedDeduplication',
  'DelaySeconds',
  'FifoQueue',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'RedrivePolicy',
  'VisibilityTimeout',
];

function attributesOf(properties: Record<string, unknown>): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const name of ATTRIBUTES) {
    const value = properties[name];
    if (value !== undefined) attributes[name] = typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
  return attributes;
}

async function setAttributes(server: FauxqsServer, name: string, attributes: Record<string, string>): Promise<void> {
  const { FifoQueue: _fixed, ...Attributes } = attributes;
  if (Object.keys(Attributes).length === 0) return;
  const answer = await fetch(server.address, {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.SetQueueAttributes' },
    body: JSON.stringify({ QueueUrl: server.inspectQueue(name)?.url, Attributes }),
  });
  if (!answer.ok) throw new Error(`Queue ${name} does not take its attributes: ${await answer.text()}`);
}

/** fauxqs listens on every interface and has no option for it (checked with 2.4.1); a laptop must not. */
async function onLoopback<T>(start: () => Promise<T>): Promise<T> {
  const { listen } = Server.prototype;
  Server.prototype.listen = function (this: Server, ...given: unknown[]) {
    const [options] = given;
    if (typeof options === 'object' && options !== null && 'host' in options && options.host === '0.0.0.0')
      options.host = '127.0.0.1';
    return Reflect.apply(listen, this, given);
  } as typeof listen;
  try {
    return await start();
  } finally {
    Server.prototype.listen = listen;
  }
}
