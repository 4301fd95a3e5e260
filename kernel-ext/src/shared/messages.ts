/** What server and session say to each other. `parent` is the id of the request that a message belongs to. */

export type Json = Readonly<Record<string, unknown>>;

/** An error as the protocol shows it. */
export interface ErrorContent {
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
}

export interface ExecuteTask {
  readonly type: 'execute';
  readonly id: string;
  readonly code: string;
  readonly count: number;
  readonly silent: boolean;
  readonly allowStdin: boolean;
  readonly userExpressions: Readonly<Record<string, string>>;
}

/** A question about code; `offset` counts UTF-16 units. */
export interface CodeQuestion {
  readonly type: 'complete' | 'inspect' | 'isComplete';
  readonly id: string;
  readonly code: string;
  readonly offset: number;
}

export interface CommInput {
  readonly type: 'comm';
  readonly id: string;
  readonly kind: 'comm_open' | 'comm_msg' | 'comm_close';
  readonly content: Json;
  readonly metadata: Json;
}

export interface InputAnswer {
  readonly type: 'input';
  readonly value: string;
}

export interface InterruptOrder {
  readonly type: 'interrupt';
  readonly sequence: number;
}

export type ToSession = ExecuteTask | CodeQuestion | CommInput | InputAnswer | InterruptOrder;

/** How a cell ended. */
export interface ExecuteOutcome {
  readonly status: 'ok' | 'error';
  readonly error?: ErrorContent;
  readonly userExpressions?: Json;
  /** What the front end is asked to do beside: show a text in its pager. */
  readonly payload?: readonly Json[];
}

export type ToServer =
  | { readonly type: 'ready' }
  /** Something for the IOPub channel; the parts are the buffers. */
  | {
      readonly type: 'publish';
      readonly parent: string;
      readonly kind: string;
      readonly content: Json;
      readonly metadata?: Json | undefined;
    }
  | { readonly type: 'stream'; readonly parent: string; readonly name: 'stdout' | 'stderr'; readonly text: string }
  | { readonly type: 'answer'; readonly id: string; readonly content: Json }
  | { readonly type: 'executed'; readonly id: string; readonly outcome: ExecuteOutcome }
  | { readonly type: 'ask'; readonly parent: string; readonly prompt: string; readonly password: boolean }
  /** The interrupt was carried out, or there was nothing to interrupt. */
  | { readonly type: 'interrupted'; readonly sequence: number };
