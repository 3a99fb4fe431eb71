import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', './test/support/summary.ts'],
    globalSetup: ['./test/support/synthesize.ts'],
    testTimeout: 30_000,
    hookTimeout: 90_000,
    // Two cores: more workers would only wait for each other.
    maxWorkers: 2,
  },
});
