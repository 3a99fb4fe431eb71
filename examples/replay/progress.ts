import { Presets, SingleBar } from 'cli-progress';

export interface Standing {
  /** Orders that have ended, or were refused. */
  ended: number;
  underWay: number;
}

const LINE_EVERY_MS = 5_000;
const BAR_EVERY_MS = 200;

/** Shows how far the replay is: a bar on a terminal, a line every few seconds anywhere else. */
export const startProgress = (total: number, standing: () => Standing): { stop(): void } => {
  if (process.stdout.isTTY) {
    const format = '{bar} {value}/{total} orders, {underWay} under way, {duration_formatted}';
    const bar = new SingleBar({ format, hideCursor: true }, Presets.shades_classic);
    const update = (): void => {
      const { ended, underWay } = standing();
      bar.update(ended, { underWay });
    };
    bar.start(total, 0, { underWay: 0 });
    const timer = setInterval(update, BAR_EVERY_MS);
    return {
      stop: () => {
        clearInterval(timer);
        update();
        bar.stop();
      },
    };
  }
  const line = (): void => {
    const { ended, underWay } = standing();
    console.log(`${ended} of ${total} orders, ${underWay} under way`);
  };
  const timer = setInterval(line, LINE_EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      line();
    },
  };
};
