/** Requests a second that the whole API of a stage takes, and at once, before API Gateway answers 429. */
export const RATE_PER_SECOND = 2_000;
export const BURST = 1_000;
