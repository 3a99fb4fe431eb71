import { ok, type Result, refuse } from '../../../shared/result.ts';
import { byPreference, type Considered, mostPreferred, Survey } from './candidates.ts';
import { promiseOf } from './clock.ts';
import { cover, PARCELS_MAX, share } from './cover.ts';
import { reasonForOne, reasonForPart, reasonForShortage } from './reasons.ts';
import type { Availability, PlannedFulfilment, SourcingNode, SourcingRequest, UnitsOfSku } from './request.ts';

/** Who supplies what, and everything that was looked at on the way. */
export interface Plan {
  /** At most four, the most preferred node first. */
  fulfilments: PlannedFulfilment[];
  /** Every node with its verdict and figures. */
  considered: readonly Considered[];
}

export type SourcingRefusal = 'sold-out' | 'not-deliverable';

const supplied = ({ lines }: Survey, units: readonly number[]): UnitsOfSku[] =>
  lines.map(({ sku }, line) => ({ sku, units: units[line]! })).filter((line) => line.units > 0);

const oneNode = (survey: Survey, chosen: Considered, { choice, now }: SourcingRequest): PlannedFulfilment => ({
  nodeId: chosen.node.nodeId,
  lines: supplied(survey, chosen.units),
  reason: reasonForOne(chosen, survey, choice),
  promise: promiseOf(chosen.node, choice, now),
});

const severalNodes = (
  survey: Survey,
  wanted: readonly number[],
  { choice, now }: SourcingRequest,
): { fulfilments: PlannedFulfilment[]; missing: number[] } => {
  const candidates = survey.considered.filter(({ verdict }) => verdict === 'SOME_LINES' || verdict === 'ALL_LINES');
  candidates.sort(byPreference);
  const { chosen, missing } = cover(
    candidates.map(({ units }) => units),
    wanted,
  );
  const nodes = chosen.sort((a, b) => a - b).map((index) => candidates[index]!);
  const covered = wanted.map((units, line) => units - missing[line]!);
  const shares = share(
    nodes.map(({ units }) => units),
    covered,
  );
  const fulfilments = nodes.flatMap((one, index) => {
    const units = shares[index]!;
    if (units.every((of) => of === 0)) return [];
    const reason = reasonForPart(one, units, survey);
    return [
      { nodeId: one.node.nodeId, lines: supplied(survey, units), reason, promise: promiseOf(one.node, choice, now) },
    ];
  });
  return { fulfilments, missing };
};

const refusal = (survey: Survey): Result<never, SourcingRefusal> | undefined => {
  const short = survey.lines.findIndex(({ units }, line) => survey.usable[line]! < units);
  if (short < 0) return undefined;
  const soldOut = survey.lines.findIndex(({ units }, line) => survey.inNetwork[line]! < units);
  return soldOut >= 0
    ? refuse('sold-out', reasonForShortage(survey, soldOut))
    : refuse('not-deliverable', reasonForShortage(survey, short));
};

/**
 * Chooses who supplies the lines. One node that has everything comes before any split; distribution centres come
 * before shops, the nearest first. Else as few nodes as possible, four at most. The same for any order of lines and
 * nodes.
 */
export const source = (
  request: SourcingRequest,
  nodes: readonly SourcingNode[],
  available: Availability,
): Result<Plan, SourcingRefusal> => {
  const survey = new Survey(request, nodes, available);
  const { considered, lines } = survey;
  const refused = refusal(survey);
  if (refused !== undefined) return refused;
  const complete = mostPreferred(considered.filter(({ verdict }) => verdict === 'ALL_LINES'));
  if (complete !== undefined) return ok({ fulfilments: [oneNode(survey, complete, request)], considered });
  const wanted = lines.map(({ units }) => units);
  const { fulfilments, missing } = severalNodes(survey, wanted, request);
  if (missing.some((units) => units > 0)) {
    return refuse('not-deliverable', `it would take more than ${PARCELS_MAX} nodes to supply all lines`);
  }
  return ok({ fulfilments, considered });
};

/** As `source`, but where not everything can be supplied, as much as can be; the rest is `missing`, and why. */
export const sourceWhatIsThere = (
  request: SourcingRequest,
  nodes: readonly SourcingNode[],
  available: Availability,
): { fulfilments: PlannedFulfilment[]; missing: UnitsOfSku[]; reason: string } => {
  const whole = source(request, nodes, available);
  if (whole.ok) return { fulfilments: whole.value.fulfilments, missing: [], reason: '' };
  const survey = new Survey(request, nodes, available);
  const possible = survey.lines.map(({ units }, line) => Math.min(units, survey.usable[line]!));
  const { fulfilments, missing } = severalNodes(survey, possible, request);
  const gone = survey.lines.map(({ units }, line) => units - possible[line]! + missing[line]!);
  return { fulfilments, missing: supplied(survey, gone), reason: whole.refusal.detail };
};
