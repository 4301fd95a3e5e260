import { createRequire } from 'node:module';
import type { MultiBar, SingleBar } from 'cli-progress';
import type { Progress } from './command.js';
import { formatCount, formatRate, formatSeconds } from './format.js';

/** A stream as far as progress needs it: `process.stderr`, or a stand-in of the tests. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Time between two plain lines of one piece of work. */
const LINE_INTERVAL_MS = 3000;
const BAR_FORMAT = '{label} {bar} {percentage} %  {state}';
const SHOW_CURSOR = '\x1b[?25h';

/** Speed since the first update, so that what an earlier run had done does not count as fast. */
class Meter {
  readonly #startMs: number;
  #first: number | undefined;

  constructor(
    private readonly now: () => number,
    private readonly total: number,
    private readonly unit: string,
  ) {
    this.#startMs = now();
  }

  elapsedSeconds(): number {
    return (this.now() - this.#startMs) / 1000;
  }

  state(done: number): string {
    this.#first ??= done;
    const rate = (done - this.#first) / this.elapsedSeconds();
    const count = `${formatCount(done)} of ${formatCount(this.total)}${this.unit}`;
    if (!(rate > 0) || !Number.isFinite(rate)) return count;
    const left = done < this.total ? `, ${formatSeconds((this.total - done) / rate)} left` : '';
    return `${count}, ${formatRate(rate)}/s${left}`;
  }

  summary(done: number): string {
    return `${formatCount(done)}${this.unit} in ${formatSeconds(this.elapsedSeconds())}`;
  }
}

/** Shows how far pieces of work are: bars on a terminal, elsewhere plain lines at most every three seconds. */
export class ProgressDisplay {
  #bars: MultiBar | undefined;
  #active = 0;
  readonly #stream: ProgressStream;
  readonly #now: () => number;

  constructor(stream: ProgressStream, now: () => number = Date.now) {
    this.#stream = stream;
    this.#now = now;
  }

  start(label: string, total: number, unit = ''): Progress {
    const meter = new Meter(this.#now, total, unit && ` ${unit}`);
    return this.#stream.isTTY ? this.#startBar(label, total, meter) : this.#startLines(label, total, meter);
  }

  /** Writes lines without tearing a bar apart. */
  write(text: string, stream: ProgressStream): void {
    if (this.#bars && stream.isTTY) this.#bars.log(text);
    else stream.write(text);
  }

  /** Takes the bars off their timer and gives the cursor back; what they show stays. */
  close(): void {
    if (!this.#bars) return;
    this.#bars.stop();
    this.#bars = undefined;
    this.#active = 0;
    this.#stream.write(SHOW_CURSOR);
  }

  #startLines(label: string, total: number, meter: Meter): Progress {
    let lastMs = this.#now();
    let latest = 0;
    let ended = false;
    return {
      update: (done) => {
        latest = done;
        const state = meter.state(done);
        if (this.#now() - lastMs < LINE_INTERVAL_MS) return;
        lastMs = this.#now();
        const percent = total > 0 ? ` (${Math.floor((100 * done) / total)} %)` : '';
        this.#stream.write(`${label}: ${state}${percent}\n`);
      },
      done: () => {
        if (!ended) this.#stream.write(`${label}: ${meter.summary(Math.max(latest, total))}\n`);
        ended = true;
      },
    };
  }

  #startBar(label: string, total: number, meter: Meter): Progress {
    this.#bars ??= this.#createBars();
    this.#active++;
    const bar: SingleBar = this.#bars.create(total || 1, 0, { label: label.padEnd(12), state: '' });
    let latest = 0;
    let ended = false;
    return {
      update: (done) => {
        latest = done;
        bar.update(done, { state: meter.state(done) });
      },
      done: () => {
        if (ended) return;
        ended = true;
        bar.update(total || 1, { state: meter.summary(Math.max(latest, total)) });
        bar.stop();
        this.#active--;
        if (this.#active === 0) this.close();
      },
    };
  }

  #createBars(): MultiBar {
    // Loaded only where a bar is drawn: help and errors do without.
    const cliProgress = createRequire(import.meta.url)('cli-progress') as typeof import('cli-progress');
    return new cliProgress.MultiBar(
      {
        format: BAR_FORMAT,
        barsize: 24,
        fps: 8,
        hideCursor: true,
        clearOnComplete: false,
        gracefulExit: false,
        emptyOnZero: true,
        stream: this.#stream as unknown as NodeJS.WritableStream,
      },
      cliProgress.Presets.rect,
    );
  }
}
