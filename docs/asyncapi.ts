import type { Capability, EventDefinition } from '../shared/contract.ts';
import { type Components, schemaOf } from '../shared/openapi/schemas.ts';

type Json = Record<string, unknown>;

const channelOf = (type: string): string => type.replaceAll('.', '-');

/** A CloudEvents 1.0 envelope around the data of one event. */
const envelopeOf = ({ type, source, data }: EventDefinition, schemas: Components): Json => {
  const text = (maxLength: number): Json => ({ type: 'string', maxLength });
  return {
    type: 'object',
    required: ['specversion', 'id', 'source', 'type', 'time', 'subject', 'aggregateversion', 'data'],
    properties: {
      specversion: { const: '1.0' },
      id: { ...text(256), description: 'subject#aggregateversion; the same event never has two' },
      source: { const: source },
      type: { const: type },
      time: { ...text(24), format: 'date-time' },
      subject: { ...text(200), description: 'The aggregate, e.g. `order/ord_01J…`' },
      aggregateversion: { type: 'integer', minimum: 1, description: 'Version of the aggregate after the change' },
      actor: text(200),
      correlationid: text(64),
      causationid: text(256),
      datacontenttype: { const: 'application/json' },
      data: schemaOf(data, 'output', schemas),
    },
  };
};

const operationOf = (action: 'send' | 'receive', { name }: Capability, { type, summary }: EventDefinition): Json => ({
  action,
  channel: { $ref: `#/channels/${channelOf(type)}` },
  messages: [{ $ref: `#/channels/${channelOf(type)}/messages/event` }],
  summary,
  tags: [{ name }],
});

/** AsyncAPI 3: every event that the bus carries, who sends it and who acts on it. */
export const asyncapi = (capabilities: readonly Capability[]): Json => {
  const sent = capabilities.flatMap((capability) =>
    Object.values(capability.emits).map((definition) => ({ capability, definition })),
  );
  const heard = capabilities.flatMap((capability) =>
    Object.values(capability.listens).map((definition) => ({ capability, definition })),
  );
  const schemas: Components = {};
  const messages = sent.map(({ definition }) => [
    channelOf(definition.type),
    {
      name: definition.type,
      title: definition.type,
      summary: definition.summary,
      contentType: 'application/cloudevents+json',
      payload: envelopeOf(definition, schemas),
    },
  ]);
  return {
    asyncapi: '3.1.0',
    info: {
      title: 'Ieum events',
      version: '1',
      description:
        'What the commerce bus (Amazon EventBridge) carries: CloudEvents 1.0, at least once and in any order, without personal data.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/cloudevents+json',
    channels: Object.fromEntries(
      sent.map(({ definition: { type, summary } }) => [
        channelOf(type),
        {
          address: type,
          description: summary,
          messages: { event: { $ref: `#/components/messages/${channelOf(type)}` } },
        },
      ]),
    ),
    operations: Object.fromEntries([
      ...sent.map(({ capability, definition }) => [
        `${capability.name}-sends-${channelOf(definition.type)}`,
        operationOf('send', capability, definition),
      ]),
      ...heard.map(({ capability, definition }) => [
        `${capability.name}-receives-${channelOf(definition.type)}`,
        operationOf('receive', capability, definition),
      ]),
    ]),
    components: { messages: Object.fromEntries(messages), schemas },
  };
};
