/** What tfjs-node keeps of a tensor's values: `id` names them in TensorFlow, once they are there. */
interface NativeData {
  readonly id: number | null;
}

interface NodeBinding {
  deleteTensor(id: number): void;
  executeOp(...args: readonly unknown[]): readonly { readonly id: number }[];
}

interface TensorMap {
  dataIdsCount: number;
  get(dataId: object): NativeData;
  set(dataId: object, data: NativeData): void;
  delete(dataId: object): boolean;
}

/**
 * Frees values in TensorFlow that no tensor was made of: code that is cut off inside an operation leaves its results so.
 *
 * @param backend tfjs-node's; any other is left alone.
 */
export function freeLostData(backend: unknown): void {
  const node = backend as { binding?: NodeBinding; readonly tensorMap?: TensorMap };
  const { binding, tensorMap } = node;
  if (binding === undefined || tensorMap === undefined) return;
  const others = tensorMap.dataIdsCount;
  const alive = new Set<NativeData>();
  // the first steps below may be the last, wherever code is cut off: an account of its own tells what is there
  const count = (): void => {
    tensorMap.dataIdsCount = others + alive.size;
  };
  const free = (id: number | null): void => {
    try {
      if (id !== null && id >= 0) binding.deleteTensor(id);
    } catch {
      // freed, and cut off before that was noted
    }
  };
  const lost = new FinalizationRegistry<NativeData>((data) => {
    if (alive.delete(data)) free(data.id);
    count();
  });
  const set = tensorMap.set.bind(tensorMap);
  const remove = tensorMap.delete.bind(tensorMap);
  tensorMap.set = (dataId, data) => {
    alive.add(data);
    lost.register(dataId, data, dataId);
    if (data.id !== null) unclaimed.delete(data.id);
    set(dataId, data);
    count();
  };
  tensorMap.delete = (dataId) => {
    const data = tensorMap.get(dataId);
    const removed = remove(dataId);
    alive.delete(data);
    lost.unregister(dataId);
    count();
    return removed;
  };

  // results of an operation that nobody came to take
  const unclaimed = new Set<number>();
  const results = new FinalizationRegistry<number>((id) => {
    if (unclaimed.delete(id)) free(id);
  });
  const executeOp: NodeBinding['executeOp'] = (...args) => {
    const made = binding.executeOp(...args);
    for (const result of made) {
      unclaimed.add(result.id);
      results.register(result, result.id);
    }
    return made;
  };
  // the binding's own functions cannot be replaced
  node.binding = Object.create(binding, { executeOp: { value: executeOp } }) as NodeBinding;
}
