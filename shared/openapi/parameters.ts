type Json = Record<string, unknown>;

/** What each parameter of a path or a query is, where its schema does not say so itself. */
const MEANINGS: Record<string, string> = {
  addressId: "One of the caller's own addresses",
  attempt: 'Which attempt to pay, counted from 1',
  category: 'Only products of this category',
  discrepancyId: 'What is to be resolved, as the list of discrepancies names it',
  fulfilmentOrderId: 'The work at one node, as its worklist names it',
  holdId: 'The hold, as it was answered',
  orderId: 'The order, as placing it answered',
  policyId: 'The rule of what may be sold where, as head office named it',
  productId: 'The product, as its publisher named it',
  supplyId: 'What is on its way: an order of goods, a transfer',
};

export const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'A new UUID for a new command, the same one for a repeat. Repeats get the first answer for 7 days.',
  schema: { type: 'string', minLength: 1, maxLength: 128, pattern: '^[\\x21-\\x7e]{1,128}$' },
};

/** A parameter with its meaning. Throws where nobody has said what it is. */
export const parameterOf = (name: string, where: 'path' | 'query', required: boolean, schema: Json): Json => {
  const { description, ...shape } = schema;
  const meaning = description ?? MEANINGS[name];
  if (meaning === undefined) throw new Error(`what is the parameter ${name}? Describe its schema`);
  return { name, in: where, required, description: meaning, schema: shape };
};
