/** What tfjs-node keeps of a tensor's values: `id` names them in TensorFlow, once they are there. */
interface NativeData {
  readonly id: number | null;
}

/** tfjs-node's backend, as far as it is touched here. */
interface NodeBackend {
  readonly binding?: { deleteTensor(id: number): void };
  readonly tensorMap?: {
    dataIdsCount: number;
    set(dataId: object, data: NativeData): void;
    delete(dataId: object): boolean;
  };
}

/**
 * Frees values in TensorFlow that no tensor was made of: code that is cut off inside an operation leaves its
 * intermediate results so.
 */
export function freeLostData(backend: unknown): void {
  const { binding, tensorMap } = backend as NodeBackend;
  if (binding === undefined || tensorMap === undefined) return;
  const registry = new FinalizationRegistry<NativeData>(({ id }) => {
    tensorMap.dataIdsCount--;
    try {
      if (id !== null && id >= 0) binding.deleteTensor(id);
    } catch {
      // cut off between freeing it and striking it off
    }
  });
  const set = tensorMap.set.bind(tensorMap);
  const remove = tensorMap.delete.bind(tensorMap);
  tensorMap.set = (dataId, data) => {
    set(dataId, data);
    registry.register(dataId, data, dataId);
  };
  tensorMap.delete = (dataId) => {
    registry.unregister(dataId);
    return remove(dataId);
  };
}
