import inventory from '../../functions/inventory/contract.ts';
import { allocate, asRace, type StockView, stockOf, stockToTheLast } from '../../functions/inventory/parts.ts';
import { levelKey } from '../../functions/inventory/store/levels.ts';
import { handlers as taskHandlers } from '../../functions/inventory/tasks.ts';
import orders from '../../functions/orders/contract.ts';
import outbox from '../../functions/outbox/contract.ts';
import { type Attempt, AwsError, retrying } from '../../shared/aws.ts';
import { change, put } from '../../shared/change.ts';
import { isTooBusy } from '../../shared/contention.ts';
import type { DynamoOperation } from '../../shared/dynamo.ts';
import { BURST, RATE_PER_SECOND } from '../../shared/limits.ts';
import { commitChanges, createRuntime, type Runtime, tableVariable } from '../../shared/runtime.ts';
import { runTasks } from '../../shared/tasks.ts';
import { type Chance, chanceOf } from '../simulation/chance.ts';
import { MemoryDynamo } from '../simulation/memory-dynamo.ts';
import { Scheduler } from '../simulation/scheduler.ts';
import { Bucket, LimitedDynamo } from './limits.ts';

export interface SaleOptions {
  buyers: number;
  units: number;
  seed: number;
  /** Shards at the beginning. */
  shards: number;
  /** Seconds after the beginning in which the schedule looks for the first time; absent: nobody tends the shards. */
  firstLookSeconds?: number;
}

export interface SaleResult {
  shards: number;
  sold: number;
  soldOut: number;
  /** Units that nobody could buy although somebody was told that it is sold out, and left over at the end. */
  stranded: number;
  /** Who was told that it is sold out while it was not. */
  wronglyRefused: number;
  /** From the first buyer to the last unit, in virtual seconds. */
  seconds: number;
  ordersPerSecond: number;
  /** Transactions that met another one, and reads that met one. */
  conflicts: number;
  throttled: number;
  /** Orders that had to be decided anew, because the units had gone. */
  redecided: number;
  /** Answers after which a buyer's client asked again: 503, or a race lost five times. */
  askedAgain: number;
  /** Requests that API Gateway did not let in: 429. */
  turnedAway: number;
  /** Seconds from the beginning at which shards were opened, and how many there were from then on. */
  opened: { atSeconds: number; shards: number }[];
}

const SKU = 'LIVE-1';
const NODE = 'dc-1';
const START_MS = Date.parse('2026-11-27T12:00:00.000Z');
/** All buyers come within it: the host of the show says that it is on. */
const ARRIVE_WITHIN_MS = 1_000;
/** As the shared handler of operations does. */
const DECISIONS_MAX = 5;
const REDECIDE_BASE_MS = 10;
/** What `too-busy` and 429 ask of a client, which waits up to twice as long, and doubles it each time up to a limit. */
const RETRY_AFTER_MS = 1_000;
const RETRY_AFTER_MAX_MS = 16_000;
const LOOK_EVERY_MS = 60_000;
const TABLES = [inventory, orders, outbox];

type Outcome = 'SOLD' | 'SOLD_OUT' | 'ASK_AGAIN';

/** A flash sale of one SKU: many buyers at once on the product's own way to an order, behind DynamoDB's limits. */
export class FlashSale {
  readonly #options: SaleOptions;
  readonly #scheduler = new Scheduler(START_MS);
  readonly #chance: Chance;
  readonly #memory = new MemoryDynamo(TABLES);
  readonly #limited: LimitedDynamo;
  readonly #runtime: Runtime;
  #sold = 0;
  #soldOut = 0;
  #wronglyRefused = 0;
  #redecided = 0;
  #askedAgain = 0;
  #turnedAway = 0;
  readonly #gateway = new Bucket(RATE_PER_SECOND, START_MS, BURST);
  #lastSoldMs = START_MS;
  readonly #opened: SaleResult['opened'] = [];

  constructor(options: SaleOptions) {
    this.#options = options;
    this.#chance = chanceOf(`hot/${options.seed}/${options.shards}`);
    this.#limited = new LimitedDynamo(this.#memory, this.#scheduler, this.#chance.fork('limits'));
    const { sleep } = this.#scheduler;
    const random = this.#chance.fork('runtime').next;
    const attempt: Attempt = async (operation, body) => {
      const answer = await this.#limited.call(operation as DynamoOperation, JSON.parse(body));
      return { status: answer.status, text: JSON.stringify(answer.body) };
    };
    this.#runtime = createRuntime({
      env: Object.fromEntries(TABLES.map(({ name }) => [tableVariable(name), name])),
      clockMs: () => this.#scheduler.nowMs,
      random,
      // Requests are neither signed nor sent: that costs this machine time, and proves nothing of the shards.
      intercept: () => retrying(attempt, { random, sleep }),
      simulated: { sleep },
    });
  }

  async run(): Promise<SaleResult> {
    const { buyers, units, shards, firstLookSeconds } = this.#options;
    this.#stock(units, shards);
    const arrivals = this.#chance.fork('arrivals');
    for (let buyer = 0; buyer < buyers; buyer += 1) {
      this.#scheduler.after(arrivals.between(0, ARRIVE_WITHIN_MS), () => void this.#buyer());
    }
    if (firstLookSeconds !== undefined) this.#lookAt(firstLookSeconds * 1_000);
    await this.#scheduler.run(Number.POSITIVE_INFINITY, () => this.#sold + this.#soldOut === buyers);
    const seconds = (this.#lastSoldMs - START_MS) / 1_000;
    const { conflicts, throttled } = this.#limited.counts;
    return {
      shards: this.#shards(),
      ...{ sold: this.#sold, soldOut: this.#soldOut, wronglyRefused: this.#wronglyRefused },
      stranded: this.#available(),
      ...{ seconds, ordersPerSecond: Math.round(this.#sold / Math.max(seconds, 0.001)) },
      ...{
        conflicts,
        throttled,
        redecided: this.#redecided,
        askedAgain: this.#askedAgain,
        turnedAway: this.#turnedAway,
        opened: this.#opened,
      },
    };
  }

  /** The stock as it lies in the table after a receipt that was spread. */
  #stock(units: number, shards: number): void {
    for (let shard = 0; shard < shards; shard += 1) {
      const part = String(Math.floor(units / shards) + (shard < units % shards ? 1 : 0));
      const { pk, sk } = levelKey(SKU, NODE, shard);
      const counted = { onHand: { N: part }, available: { N: part }, version: { N: '1' } };
      const Item = {
        pk: { S: pk },
        sk: { S: sk },
        ...counted,
        ...(shard === 0 ? { shards: { N: String(shards) } } : {}),
      };
      this.#memory.call('PutItem', { TableName: inventory.name, Item });
    }
    if (shards === 1) return;
    const Item = {
      ...{ pk: { S: 'SPREAD' }, sk: { S: `${SKU}#${NODE}` } },
      ...{ shards: { N: String(shards) }, busyAt: { S: this.#runtime.now() } },
    };
    this.#memory.call('PutItem', { TableName: inventory.name, Item });
  }

  #attribute(shard: number, name: string): number {
    const { pk, sk } = levelKey(SKU, NODE, shard);
    return Number(this.#memory.item(inventory.name, pk, sk)?.[name]?.N ?? 0);
  }

  #shards(): number {
    return Math.max(1, this.#attribute(0, 'shards'));
  }

  #available(): number {
    return Array.from({ length: this.#shards() }, (_, shard) => this.#attribute(shard, 'available')).reduce(
      (sum, units) => sum + units,
      0,
    );
  }

  async #buyer(): Promise<void> {
    for (let waitMs = RETRY_AFTER_MS; ; waitMs = Math.min(2 * waitMs, RETRY_AFTER_MAX_MS)) {
      const isLetIn = this.#gateway.take(1, this.#scheduler.nowMs);
      const outcome = isLetIn ? await this.#order() : 'ASK_AGAIN';
      if (outcome === 'SOLD') {
        this.#sold += 1;
        this.#lastSoldMs = this.#scheduler.nowMs;
        return;
      }
      if (outcome === 'SOLD_OUT') {
        this.#soldOut += 1;
        // Nothing comes back during the sale, so what is there now was there when it was said to be gone.
        if (this.#available() > 0) this.#wronglyRefused += 1;
        return;
      }
      if (isLetIn) this.#askedAgain += 1;
      else this.#turnedAway += 1;
      await this.#scheduler.sleep(this.#chance.between(waitMs, 2 * waitMs));
    }
  }

  /** One order of one unit, decided as `place` and the shared handler of operations decide. */
  async #order(): Promise<Outcome> {
    const { tables, now, random, sleep } = this.#runtime;
    try {
      for (let decision = 1; decision <= DECISIONS_MAX; decision += 1) {
        const looking = { now: now(), channel: 'live' as const };
        const seen = await stockOf(tables, [{ sku: SKU }], looking);
        const stock = hasUnits(seen) ? seen : await stockToTheLast(tables, [{ sku: SKU }], looking, seen);
        if (!hasUnits(stock)) return 'SOLD_OUT';
        const committed = await this.#commit(stock);
        if (committed.ok) return 'SOLD';
        if (committed.refusal.problem !== 'changed-meanwhile') return 'ASK_AGAIN';
        this.#redecided += 1;
        await sleep(random() * REDECIDE_BASE_MS * 2 ** decision);
      }
      return 'ASK_AGAIN';
    } catch (error) {
      if (error instanceof AwsError && isTooBusy(error)) return 'ASK_AGAIN';
      throw error;
    }
  }

  #commit(stock: StockView) {
    const orderId = this.#runtime.newId('order');
    const cause = { actor: 'customer/simulated', correlationId: orderId, now: this.#runtime.now() };
    const lines = [{ sku: SKU, units: 1 }];
    const order = put(
      orders.name,
      { pk: `ORDER#${orderId}`, sk: 'ORDER', status: 'PENDING_PAYMENT', lines },
      [{ guard: 'absent' }],
      { problem: 'changed-meanwhile' as const, detail: `${orderId} exists` },
    );
    const promised = asRace(allocate([{ allocationId: `${orderId}-1`, nodeId: NODE, lines }], cause, stock));
    return commitChanges(this.#runtime, cause, [change([order]), promised]);
  }

  /** The schedule of inventory's own task. */
  #lookAt(afterMs: number): void {
    const task = runTasks(inventory, taskHandlers(this.#runtime), this.#runtime);
    const look = (): void => {
      void task({ task: 'tendShards' } as never, {} as never);
      this.#scheduler.after(LOOK_EVERY_MS, look, { isBackground: true });
    };
    this.#scheduler.after(afterMs, look, { isBackground: true });
    let known = this.#shards();
    const watch = (): void => {
      const shards = this.#shards();
      if (shards !== known) this.#opened.push({ atSeconds: (this.#scheduler.nowMs - START_MS) / 1_000, shards });
      known = shards;
      this.#scheduler.after(100, watch, { isBackground: true });
    };
    watch();
  }
}

const hasUnits = (stock: StockView): boolean => (stock.available.get(SKU)?.get(NODE) ?? 0) > 0;

export interface HotFigures {
  buyers: number;
  units: number;
  seed: number;
  firstLookSeconds: number;
  /** By number of shards. */
  fixed: readonly SaleResult[];
  /** From one shard on, tended. */
  tended: SaleResult;
}

/** The same sale for each number of shards, and once more from one shard on while they are tended. */
export const measureSales = async (
  { shards, firstLookSeconds, ...sale }: Omit<HotFigures, 'fixed' | 'tended'> & { shards: readonly number[] },
  heard: (name: string, result: SaleResult) => void = () => {},
): Promise<HotFigures> => {
  const fixed: SaleResult[] = [];
  for (const some of shards) {
    const result = await new FlashSale({ ...sale, shards: some }).run();
    heard(`${some} shards`, result);
    fixed.push(result);
  }
  const tended = await new FlashSale({ ...sale, shards: 1, firstLookSeconds }).run();
  heard('tended', tended);
  return { ...sale, firstLookSeconds, fixed, tended };
};
