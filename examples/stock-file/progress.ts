import { Presets, SingleBar } from 'cli-progress';

const LINE_EVERY_MS = 5_000;

/** Shows how far a file has come: a bar on a terminal, a line every few seconds anywhere else. On stderr. */
export const showProgress = (bytes: number): { update(done: { rows: number; bytes: number }): void; stop(): void } => {
  if (process.stderr.isTTY) {
    const format = '{bar} {percentage}%, {rows} rows, {duration_formatted}';
    const bar = new SingleBar({ format, hideCursor: true }, Presets.shades_classic);
    bar.start(bytes, 0, { rows: 0 });
    return { update: (done) => bar.update(done.bytes, { rows: done.rows }), stop: () => bar.stop() };
  }
  let saidAtMs = Date.now();
  return {
    update: ({ rows }) => {
      if (Date.now() < saidAtMs + LINE_EVERY_MS) return;
      saidAtMs = Date.now();
      console.error(`${rows} rows`);
    },
    stop: () => {},
  };
};
