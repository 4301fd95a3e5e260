/** Requests whose outputs may still come: a timer of a cell that ended long ago prints into that cell. */
const KEPT = 5000;

export class RequestLog<Request> {
  readonly #requests = new Map<string, Request>();
  #latest: string | undefined;

  add(id: string, request: Request): void {
    this.#requests.set(id, request);
    this.#latest = id;
    if (this.#requests.size > KEPT) {
      const [oldest] = this.#requests.keys();
      this.#requests.delete(oldest);
    }
  }

  get(id: string): Request | undefined {
    return this.#requests.get(id);
  }

  /** Id of the request that came last. */
  get latest(): string | undefined {
    return this.#latest;
  }
}
