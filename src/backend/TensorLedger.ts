import type { Tensor } from '@tensorflow/tfjs';

/** What the ledger uses of a tensor: all of it that the engine needs to count it off. */
type TensorLike = Pick<Tensor, 'dataId' | 'dtype' | 'size'>;

interface TensorScope {
  readonly track: Tensor[];
}

/** The state of tfjs-core 4.22's engine, as far as it is touched here. */
interface EngineState {
  numTensors: number;
  numBytes: number;
  numDataBuffers: number;
  numStringTensors: number;
  gradientDepth: number;
  kernelDepth: number;
  nextTapeNodeId: number;
  activeTape: unknown[] | undefined;
  profiling: boolean;
  scopeStack: TensorScope[];
  activeScope: TensorScope | undefined;
  numDataMovesStack: number[];
}

/** tfjs-core 4.22's engine, as far as it is touched here. */
export interface TensorEngine {
  readonly state: EngineState;
  trackTensor(tensor: TensorLike, backend: unknown): void;
  disposeTensor(tensor: TensorLike): void;
}

/** State of the engine before a piece of work. */
interface EngineMark {
  readonly scopes: readonly TensorScope[];
  readonly active: TensorScope | undefined;
  readonly moves: number;
  readonly state: Pick<EngineState, 'gradientDepth' | 'kernelDepth' | 'activeTape' | 'profiling'>;
}

/**
 * Keeps account of all tensors: frees those that no object refers to any more, as the garbage collector finds them, and
 * brings the engine back to order after code was cut off in the middle. Costs about a microsecond a tensor.
 */
export class TensorLedger {
  readonly #engine: TensorEngine;
  readonly #dispose: TensorEngine['disposeTensor'];
  /** What was made before the ledger, and is not its business. */
  readonly #before: Pick<EngineState, 'numTensors' | 'numBytes' | 'numDataBuffers'>;
  /** Of each tensor alive: what the engine needs to count it off. */
  readonly #entries = new WeakMap<TensorLike, TensorLike>();
  readonly #alive = new Set<TensorLike>();
  readonly #registry = new FinalizationRegistry<TensorLike>((entry) => this.#free(entry));
  #created = 0;

  constructor(engine: TensorEngine) {
    this.#engine = engine;
    const { numTensors, numBytes, numDataBuffers } = engine.state;
    this.#before = { numTensors, numBytes, numDataBuffers };
    const track = engine.trackTensor.bind(engine);
    this.#dispose = engine.disposeTensor.bind(engine);
    engine.trackTensor = (tensor, backend) => {
      track(tensor, backend);
      this.#enter(tensor);
    };
    engine.disposeTensor = (tensor) => {
      this.#strike(tensor);
      this.#dispose(tensor);
    };
  }

  /** Tensors made so far. */
  get created(): number {
    return this.#created;
  }

  mark(): EngineMark {
    const { scopeStack, activeScope, numDataMovesStack, gradientDepth, kernelDepth, activeTape, profiling } = this.#engine.state;
    return {
      scopes: [...scopeStack],
      active: activeScope,
      moves: numDataMovesStack.length,
      state: { gradientDepth, kernelDepth, activeTape, profiling },
    };
  }

  /** Frees the tensors of the scopes that were opened since and not closed, and puts the engine's state back. */
  recover({ scopes, active, moves, state }: EngineMark): void {
    const engine = this.#engine.state;
    const broken = engine.scopeStack.filter((scope) => !scopes.includes(scope));
    const tape = engine.activeTape === state.activeTape ? [] : ((engine.activeTape ?? []) as { saved?: Tensor[] }[]);
    engine.scopeStack = [...scopes];
    engine.activeScope = active;
    engine.numDataMovesStack.length = Math.min(moves, engine.numDataMovesStack.length);
    Object.assign(engine, state);
    const lost = broken.flatMap(({ track }) => track.filter((tensor) => !tensor.kept));
    for (const tensor of [...lost, ...tape.flatMap(({ saved = [] }) => saved)]) {
      try {
        tensor.dispose();
      } catch {
        // cut off in the middle of being disposed
      }
    }
    this.#count();
  }

  #enter(tensor: TensorLike): void {
    this.#created++;
    const { dataId, dtype, size } = tensor;
    const entry = { dataId, dtype, size };
    this.#entries.set(tensor, entry);
    this.#alive.add(entry);
    this.#registry.register(tensor, entry, tensor);
  }

  #strike(tensor: TensorLike): void {
    const entry = this.#entries.get(tensor);
    if (entry === undefined) return;
    this.#registry.unregister(tensor);
    this.#entries.delete(tensor);
    this.#alive.delete(entry);
  }

  #free(entry: TensorLike): void {
    if (!this.#alive.delete(entry)) return;
    try {
      this.#dispose(entry);
    } catch {
      // what was cut off between two lines of the backend may be gone already
    }
  }

  /** Counts anew: code that was cut off may have changed one number and not the other. */
  #count(): void {
    let [bytes, strings] = [0, 0];
    const buffers = new Set<unknown>();
    for (const { dataId, dtype, size } of this.#alive) {
      buffers.add(dataId);
      if (dtype === 'string') strings++;
      else if (dtype !== 'complex64') bytes += size * (dtype === 'bool' ? 1 : 4);
    }
    const { state } = this.#engine;
    // bytes of strings are known to the engine only
    if (strings === 0 && state.numStringTensors === 0) state.numBytes = this.#before.numBytes + bytes;
    state.numTensors = this.#before.numTensors + this.#alive.size;
    state.numDataBuffers = this.#before.numDataBuffers + buffers.size;
  }
}
