import { byKind, byPreference, type Considered, mostPreferred, type Survey, type Verdict } from './candidates.ts';
import type { SourcingChoice } from './request.ts';

/** Sentences that tell a person why, with the figures that decided. */

const KIND = { DC: 'distribution centre', THIRD_PARTY: 'third-party warehouse', STORE: 'store', POP_UP: 'pop-up' };

/** `store-gangnam, 3.1 km,` or just the id where no distance is known. */
const placed = ({ node, distanceKm }: Considered): string =>
  distanceKm === undefined ? node.nodeId : `${node.nodeId}, ${distanceKm.toFixed(1)} km,`;

/** `dc-icheon has 0 of 2 TEE-BLK-M`: the first line that it lacks. */
const shortage = ({ node, units }: Considered, { lines }: Survey): string => {
  const lacking = lines.findIndex((line, index) => (units[index] ?? 0) < line.units);
  const { sku, units: wanted } = lines[lacking]!;
  return `${node.nodeId} has ${units[lacking] ?? 0} of ${wanted} ${sku}`;
};

/** Who would have been asked before `chosen` but has too little: who has some of it first, then who has nothing. */
const passedOver = (chosen: Considered, { considered }: Survey): Considered | undefined =>
  mostPreferred(considered.filter((one) => one.verdict === 'SOME_LINES' && byPreference(one, chosen) < 0)) ??
  mostPreferred(considered.filter((one) => one.verdict === 'NO_STOCK' && byKind(one, chosen) < 0));

/** Why one node supplies everything: who would have been asked before it, and what the chosen one has over the rest. */
export const reasonForOne = (chosen: Considered, survey: Survey, choice: SourcingChoice): string => {
  const { considered } = survey;
  if (choice === 'PICKUP') return `${placed(chosen)} is where the customer collects`;
  const earlier = passedOver(chosen, survey);
  const before = earlier === undefined ? '' : `${shortage(earlier, survey)}; `;
  const others = considered.filter(({ verdict, node }) => verdict === 'ALL_LINES' && node !== chosen.node);
  if (others.length === 0) return `${before}${placed(chosen)} is the only one with all lines`;
  const hasRivals = others.some(({ node }) => node.kind !== chosen.node.kind);
  const rank = chosen.distanceKm === undefined ? 'first' : 'nearest';
  const kind = hasRivals ? ` ${KIND[chosen.node.kind]}` : '';
  return `${before}${placed(chosen)} is the ${rank}${kind} with all lines`;
};

/** Why a node supplies a part. */
export const reasonForPart = (chosen: Considered, supplied: readonly number[], { lines }: Survey): string => {
  if (lines.length === 1) {
    const { sku, units } = lines[0]!;
    return `no node has ${units} ${sku}; ${placed(chosen)} supplies ${supplied[0]}`;
  }
  const count = supplied.filter((units) => units > 0).length;
  return `no node has all ${lines.length} lines; ${placed(chosen)} supplies ${count}`;
};

/** Why a line cannot be had: in the whole network, at the place of pickup, or by this way of fulfilment. */
export const reasonForShortage = (survey: Survey, line: number): string => {
  const { sku, units } = survey.lines[line]!;
  const usable = survey.usable[line]!;
  const { pickupNodeId } = survey.request;
  if (survey.inNetwork[line]! < units) return `${survey.inNetwork[line]} of ${units} ${sku} are available`;
  if (pickupNodeId !== undefined) {
    const isPlace = survey.considered.some(({ node, verdict }) => node.nodeId === pickupNodeId && !OUT.has(verdict));
    return isPlace ? `${pickupNodeId} has ${usable} of ${units} ${sku}` : `nobody can collect at ${pickupNodeId}`;
  }
  return `${usable} of ${units} ${sku} are where they can be supplied from${obstacle(survey)}`;
};

/** Ruled out whatever they hold. */
const OUT: ReadonlySet<Verdict> = new Set(['CLOSED', 'EXCLUDED', 'NOT_ABLE']);

const OBSTACLES: Partial<Record<Verdict, (one: Considered) => string>> = {
  PAST_CUT_OFF: ({ node }) => `${node.nodeId} takes orders for today until ${node.sameDay!.cutOff}`,
  OUT_OF_REACH: (one) =>
    one.distanceKm === undefined ? 'the address has no location' : `${placed(one)} is the nearest, and out of reach`,
  NO_COLD_CHAIN: ({ node }) => `${node.nodeId} has no cold chain`,
};

/** What keeps the node from it that comes closest: past its hours, then too far, then too warm. */
const obstacle = ({ considered, request }: Survey): string => {
  for (const [verdict, tell] of Object.entries(OBSTACLES)) {
    const closest = mostPreferred(considered.filter((one) => one.verdict === verdict));
    if (closest !== undefined) return `; ${tell(closest)}`;
  }
  return considered.every(({ verdict }) => OUT.has(verdict)) ? `; no node offers ${request.choice}` : '';
};
