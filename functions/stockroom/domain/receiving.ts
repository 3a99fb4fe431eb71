/** What was to come of a SKU, and what came: the same for goods of a supplier and for goods of another node. */
export interface ExpectedLine {
  sku: string;
  expected: number;
  /** Came in order. */
  good: number;
  /** Came, and cannot be sold. */
  damaged: number;
}

export interface DeliveredLine {
  sku: string;
  good: number;
  damaged: number;
}

const cameOf = ({ good, damaged }: DeliveredLine): number => good + damaged;

/** Came and was not expected. */
export const overOf = (line: ExpectedLine): number => Math.max(0, cameOf(line) - line.expected);
/** Was expected and has not come. */
export const shortOf = (line: ExpectedLine): number => Math.max(0, line.expected - cameOf(line));

/** One line a SKU, in one order, so that what is equal is stored equally. */
export const sumDelivered = (lines: readonly DeliveredLine[]): DeliveredLine[] =>
  [...Map.groupBy(lines, ({ sku }) => sku)]
    .map(([sku, same]) => ({
      sku,
      good: same.reduce((sum, { good }) => sum + good, 0),
      damaged: same.reduce((sum, { damaged }) => sum + damaged, 0),
    }))
    .sort((a, b) => (a.sku < b.sku ? -1 : 1));

/** The lines after a delivery. What nobody expected gets a line of its own. */
export const withDelivery = <L extends ExpectedLine>(
  lines: readonly L[],
  delivered: readonly DeliveredLine[],
  unexpected: (sku: string) => L,
): L[] => {
  const known = new Set(lines.map(({ sku }) => sku));
  const all = [...lines, ...delivered.filter(({ sku }) => !known.has(sku)).map(({ sku }) => unexpected(sku))];
  return all.map((line) => {
    const came = delivered.find(({ sku }) => sku === line.sku);
    return came === undefined ? line : { ...line, good: line.good + came.good, damaged: line.damaged + came.damaged };
  });
};

/** What a delivery is on the ledgers of its node: all of it arrived, and some of it is damaged. */
export const arrivals = (
  kind: 'RECEIPT' | 'TRANSFER_IN',
  nodeId: string,
  delivered: readonly DeliveredLine[],
  { movementId, reference }: { movementId: string; reference: string },
) =>
  delivered.flatMap((line) => [
    { kind, sku: line.sku, nodeId, units: cameOf(line), movementId, reference },
    ...(line.damaged === 0
      ? []
      : [
          {
            ...{ kind: 'DAMAGE' as const, sku: line.sku, nodeId, units: line.damaged },
            ...{ movementId: `${movementId}#DAMAGED`, reference, reason: 'arrived damaged' },
          },
        ]),
  ]);
