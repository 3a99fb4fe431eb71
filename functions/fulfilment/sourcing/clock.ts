import { type Instant, plusSeconds } from '../../../shared/time.ts';
import { localClock, nextTimeOfDay, timeOfDayAfter } from '../../../shared/zone.ts';
import type { Promised, SourcingChoice, SourcingNode } from './request.ts';

type Hours = Pick<SourcingNode, 'hours' | 'timeZone'>;

/** From acceptance to a parcel that the carrier may take, in open hours. */
const PACK_SECONDS = 2 * 3600;
/** From acceptance to goods that wait at the counter, in open hours. */
const PREPARE_SECONDS = 3600;
/** Carriers deliver until then, on the node's clock. */
const LAST_DELIVERY = '22:00';
/** Nobody is promised anything later than this; a node with one open hour a week still ends the search. */
const SEARCH_DAYS_MAX = 60;

const worksOn = ({ hours }: Hours, weekday: number): boolean =>
  hours.length === 0 || hours.some(({ weekdays }) => weekdays.includes(weekday));

const weekdayAfter = (weekday: number, days: number): number => ((weekday - 1 + days) % 7) + 1;

/** The moment at which the node has been open for so many seconds since `at`. A closed shop's clock stands still. */
export const afterOpenSeconds = (node: Hours, at: Instant, seconds: number): Instant => {
  if (node.hours.length === 0) return plusSeconds(at, seconds);
  const { weekday } = localClock(at, node.timeZone);
  let left = seconds;
  for (let day = 0; day <= SEARCH_DAYS_MAX; day += 1) {
    const today = weekdayAfter(weekday, day);
    const intervals = node.hours.filter(({ weekdays }) => weekdays.includes(today));
    for (const { opens, closes } of intervals.sort((a, b) => (a.opens < b.opens ? -1 : 1))) {
      const closing = timeOfDayAfter(at, node.timeZone, day, closes);
      if (closing <= at) continue;
      const opening = timeOfDayAfter(at, node.timeZone, day, opens);
      const end = plusSeconds(opening > at ? opening : at, left);
      if (end <= closing) return end;
      left = (Date.parse(end) - Date.parse(closing)) / 1000;
    }
  }
  return timeOfDayAfter(at, node.timeZone, SEARCH_DAYS_MAX, LAST_DELIVERY);
};

/** By when a node has to answer. One that is gone cannot: then another is looked for at once. */
export const answerBy = (nodes: readonly SourcingNode[], nodeId: string, now: Instant): Instant => {
  const node = nodes.find((one) => one.nodeId === nodeId);
  return node === undefined ? plusSeconds(now, 1) : afterOpenSeconds(node, now, node.answerWithinSeconds);
};

const textOf = (what: string, node: Hours, by: Instant): string => {
  const { date, time } = localClock(by, node.timeZone);
  return `${what} ${date} ${time}`;
};

const homeDelivery = (node: SourcingNode, now: Instant): Instant => {
  const handedOver = afterOpenSeconds(node, now, node.answerWithinSeconds + PACK_SECONDS);
  const by = timeOfDayAfter(handedOver, node.timeZone, node.shipDays, LAST_DELIVERY);
  return by >= handedOver ? by : timeOfDayAfter(handedOver, node.timeZone, node.shipDays + 1, LAST_DELIVERY);
};

/** Ordered before tonight's cut-off, it is there before breakfast; a night before which nobody works is left out. */
const dawn = (node: SourcingNode, now: Instant): Instant => {
  const { cutOff, deliveredBy } = node.dawn!;
  const first = nextTimeOfDay(now, node.timeZone, cutOff);
  const { weekday } = localClock(first, node.timeZone);
  let wait = 0;
  while (wait < 6 && !worksOn(node, weekdayAfter(weekday, wait))) wait += 1;
  return timeOfDayAfter(first, node.timeZone, wait + (deliveredBy <= cutOff ? 1 : 0), deliveredBy);
};

/** The latest moment for which the node can be taken at its word. */
export const promiseOf = (node: SourcingNode, choice: SourcingChoice, now: Instant): Promised => {
  if (choice === 'PICKUP') {
    const by = afterOpenSeconds(node, now, node.answerWithinSeconds + PREPARE_SECONDS);
    return { by, text: textOf('ready by', node, by) };
  }
  let by: Instant;
  if (choice === 'HOME_DELIVERY') by = homeDelivery(node, now);
  else if (choice === 'DAWN') by = dawn(node, now);
  else by = timeOfDayAfter(now, node.timeZone, 0, node.sameDay!.deliveredBy);
  return { by, text: textOf('delivered by', node, by) };
};

/** Whether nodes can still deliver today; asks each time zone's clock once. */
export const sameDayClock = (now: Instant): ((node: SourcingNode) => boolean) => {
  const clocks = new Map<string, { weekday: number; time: string }>();
  return (node) => {
    let clock = clocks.get(node.timeZone);
    if (clock === undefined) {
      clock = localClock(now, node.timeZone);
      clocks.set(node.timeZone, clock);
    }
    return clock.time <= node.sameDay!.cutOff && worksOn(node, clock.weekday);
  };
};
