import type { Reporter, TestModule } from 'vitest/node';

/** Ends the run with one plain line, which any continuous-integration service can read. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      // a file that does not load has no tests, and still failed
      if (!module.ok() && !tests.some((test) => test.result().state === 'failed')) count.failed++;
      for (const test of tests) {
        const { state } = test.result();
        if (state !== 'pending') count[state]++;
      }
    }
    process.stdout.write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
  }
}
