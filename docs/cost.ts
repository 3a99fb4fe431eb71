import orderUnits from './measured/order-units.json' with { type: 'json' };
import prices from './measured/prices.json' with { type: 'json' };

/** What one home-delivery order uses, from the first line in the cart to its points, in AWS's billed units. */
export interface OrderUnits {
  /** The transaction that places it, index writes included. */
  placeWriteUnits: number;
  writeUnits: number;
  readUnits: number;
  events: number;
  transitions: number;
  /** Requests to the API, by the customer and the node. */
  httpRequests: number;
  lambdaRequests: number;
}

export type Region = keyof typeof prices.regions;
export const REGIONS = Object.keys(prices.regions) as Region[];

/** Lambda bills by the millisecond; assumed of a warm call, at the functions' 1 GB. */
const BILLED_MS_PER_CALL = 20;

/** US dollars for a thousand such orders by what they are spent on, at list prices without free tiers. */
const spentOn = (units: OrderUnits, region: Region): Record<string, number> => {
  const price = prices.regions[region];
  const lambdaSeconds = (units.lambdaRequests * BILLED_MS_PER_CALL) / 1000;
  return {
    'DynamoDB writes': (units.writeUnits * price.writeUnitsPerMillion) / 1e3,
    'DynamoDB reads': (units.readUnits * price.readUnitsPerMillion) / 1e3,
    'Step Functions': units.transitions * price.transitionsPerThousand,
    EventBridge: (units.events * price.eventsPerMillion) / 1e3,
    Lambda: (units.lambdaRequests * price.lambdaRequestsPerMillion) / 1e3 + lambdaSeconds * price.lambdaGbSecond * 1e3,
    'API Gateway': (units.httpRequests * price.httpRequestsPerMillion) / 1e3,
  };
};

export const costPerThousandOrders = (units: OrderUnits, region: Region): number =>
  Object.values(spentOn(units, region)).reduce((total, part) => total + part, 0);

/** The page about it, from the units that the last `npm run bench` counted. */
export const costPage = (note: string): string => {
  const units: OrderUnits = orderUnits;
  const parts = Object.keys(spentOn(units, REGIONS[0]!));
  const row = (part: string): string =>
    `| ${part} | ${REGIONS.map((region) => spentOn(units, region)[part]!.toFixed(4)).join(' | ')} |`;
  const total = `| **together** | ${REGIONS.map((region) => `**${costPerThousandOrders(units, region).toFixed(4)}**`).join(' | ')} |`;
  return `# What an order costs

${note}

One order of one line for home delivery, from the first line in the cart to its points, counted by \`npm run bench\` on the
local cloud: ${units.httpRequests} requests to the API, ${units.lambdaRequests} calls of functions, ${units.writeUnits} write units (${units.placeWriteUnits} of them place it), ${units.readUnits} read
units, ${units.events} events and ${units.transitions} workflow transitions.

US dollars for a thousand such orders at the list prices of ${prices.asOf}, without free tiers; Lambda assumed at
${BILLED_MS_PER_CALL} ms a call and 1 GB. Logs, traces, storage and data transfer are not in it.

| | ${REGIONS.join(' | ')} |
|---|${REGIONS.map(() => '---:').join('|')}|
${[...parts.map(row), total].join('\n')}
`;
};
