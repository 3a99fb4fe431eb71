import type { Reporter, TestModule } from 'vitest/node';

/** Closes a run with one plain line that any reader of logs can count: `120 passed, 0 failed, 0 skipped`. */
export default class Summary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string): number => tests.filter((test) => test.result().state === state).length;
    // A file that could not even be loaded has no tests, and must not pass unseen.
    const broken = modules.filter(
      (module) => module.errors().length > 0 && [...module.children.allTests()].length === 0,
    );
    process.stdout.write(
      `\n${count('passed')} passed, ${count('failed') + broken.length} failed, ${count('skipped')} skipped\n`,
    );
  }
}
