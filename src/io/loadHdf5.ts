let loaded: Promise<typeof import('h5wasm/node')> | undefined;

/**
 * The HDF5 library, compiled to WebAssembly, loaded once. By itself it writes its errors to stderr and goes on, with
 * pixels that were never read; here every error is thrown.
 */
export function loadHdf5(): Promise<typeof import('h5wasm/node')> {
  loaded ??= import('h5wasm/node').then(async (library) => {
    const module = await library.ready;
    module.activate_throwing_error_handler();
    return library;
  });
  return loaded;
}
