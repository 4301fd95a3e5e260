/** So much of the past counts, and at least so many reports however old. */
const WINDOW_MS = 5000;
const FEWEST = 4;
/** Reports that follow each other faster are taken as one. */
const SPACING_MS = 100;
/** A rate over less time says little. */
const SHORTEST_MS = 200;

/** How fast work goes on at present: the mean over the last seconds, so that it follows changes but does not jump. */
export class RateMeter {
  #reports: { time: number; done: number }[];

  constructor(time: number, done = 0) {
    this.#reports = [{ time, done }];
  }

  /** Takes note that `done` was reached at `time` (milliseconds). Work that goes back starts anew. */
  report(time: number, done: number): void {
    const reports = this.#reports;
    const last = reports[reports.length - 1];
    if (done < last.done) {
      this.#reports = [{ time, done }];
      return;
    }
    const before = reports[reports.length - 2];
    if (before !== undefined && last.time - before.time < SPACING_MS) reports.pop();
    reports.push({ time, done });
    while (reports.length > FEWEST && time - reports[1].time >= WINDOW_MS) reports.shift();
  }

  /** Done in a second, as seen at `time`; undefined as long as it is not known. */
  perSecond(time: number): number | undefined {
    const first = this.#reports[0];
    const last = this.#reports[this.#reports.length - 1];
    const elapsed = time - first.time;
    return elapsed < SHORTEST_MS || last.done <= first.done ? undefined : ((last.done - first.done) / elapsed) * 1000;
  }
}
