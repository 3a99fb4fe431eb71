/** What other capabilities may read of the stock and put into their transaction. */
export type { Happening } from './domain/happened.ts';
export { type AsOf, booksAsOf } from './parts/as-of.ts';
export { asRace } from './parts/changes.ts';
export { booksOf, doubt, expectSupply, happened } from './parts/happened.ts';
export { fits, HOLD_LINES_MAX, reserve } from './parts/holds.ts';
export { allocate, consume, reallocate, release } from './parts/promises.ts';
export { correctTo, heldAt } from './parts/statements.ts';
export { isHolder, type Looking, type StockView, stockOf, stockToTheLast } from './parts/stock.ts';
export { referencesBooked } from './store/book.ts';
