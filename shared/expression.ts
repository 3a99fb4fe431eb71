import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { Attributes, Guard, Part, Write } from './table.ts';

/** Plain attributes as DynamoDB's typed JSON, without what is undefined. */
export const toWire = (attributes: object): Attributes => marshall(attributes, { removeUndefinedValues: true });

/** What DynamoDB's typed JSON says. */
export const fromWire = <T>(item: unknown): T => unmarshall(item as Parameters<typeof unmarshall>[0]) as T;

/** Builds the expression of one write, giving every name and value a placeholder. */
export class Expression {
  readonly names: Record<string, string> = {};
  readonly values: Attributes = {};
  private readonly placeholders = new Map<string, string>();

  name(attribute: string): string {
    const known = this.placeholders.get(attribute);
    if (known !== undefined) return known;
    const placeholder = `#${this.placeholders.size}`;
    this.placeholders.set(attribute, placeholder);
    this.names[placeholder] = attribute;
    return placeholder;
  }

  value(value: unknown): string {
    const placeholder = `:${Object.keys(this.values).length}`;
    this.values[placeholder] = value;
    return placeholder;
  }

  condition(guard: Guard): string {
    switch (guard.guard) {
      case 'absent':
      case 'once':
        return `attribute_not_exists(${this.name('pk')})`;
      case 'exists':
        return `attribute_exists(${this.name('pk')})`;
      case 'without':
        return `attribute_not_exists(${this.name(guard.attribute)})`;
      case 'version':
        return `${this.name('version')} = ${this.value(guard.version)}`;
      case 'at-least':
        return `${this.name(guard.attribute)} >= ${this.value(guard.units)}`;
      case 'one-of':
        return `${this.name(guard.attribute)} IN (${guard.values.map((value) => this.value(value)).join(', ')})`;
    }
  }

  update(write: Extract<Write, { kind: 'update' }>): string {
    const set = Object.entries(write.set ?? {}).map(([name, value]) => `${this.name(name)} = ${this.value(value)}`);
    const add = Object.entries(write.add ?? {}).map(([name, value]) => `${this.name(name)} ${this.value(value)}`);
    const remove = (write.remove ?? []).map((name) => this.name(name));
    return [
      set.length > 0 ? `SET ${set.join(', ')}` : '',
      add.length > 0 ? `ADD ${add.join(', ')}` : '',
      remove.length > 0 ? `REMOVE ${remove.join(', ')}` : '',
    ]
      .filter(Boolean)
      .join(' ');
  }

  attributes(): { ExpressionAttributeNames?: Record<string, string>; ExpressionAttributeValues?: Attributes } {
    return {
      ...(Object.keys(this.names).length > 0 ? { ExpressionAttributeNames: this.names } : {}),
      ...(Object.keys(this.values).length > 0 ? { ExpressionAttributeValues: toWire(this.values) } : {}),
    };
  }
}

/** One part as an item of TransactWriteItems; what is inside `Put`, `Update` or `Delete` is also a call of its own. */
export const toTransactItem = (part: Part, TableName: string) => {
  const { write } = part;
  const expression = new Expression();
  const UpdateExpression = write.kind === 'update' ? expression.update(write) : undefined;
  const ConditionExpression = part.guards.map((guard) => expression.condition(guard)).join(' AND ') || undefined;
  const common = { TableName, ConditionExpression, ...expression.attributes() };
  switch (write.kind) {
    case 'put':
      return { Put: { ...common, Item: toWire(write.item) } };
    case 'update':
      return { Update: { ...common, Key: toWire(write.key), UpdateExpression } };
    case 'delete':
      return { Delete: { ...common, Key: toWire(write.key) } };
    case 'check':
      return { ConditionCheck: { ...common, Key: toWire(write.key) } };
  }
};
