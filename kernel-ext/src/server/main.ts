import { readConnection } from './connection.js';
import { KernelServer } from './KernelServer.js';

/** How often the server looks whether Jupyter, which started it, is still there. */
const PARENT_CHECK_MS = 2000;

/** Starts the kernel that kernel.json names: `argv` is the path of Jupyter's connection file. */
export async function main([path]: readonly string[]): Promise<void> {
  if (path === undefined) throw new Error('the path of a connection file must be given; Jupyter does that');
  const server = await KernelServer.start(readConnection(path), () => process.exit(0));
  process.on('SIGINT', () => server.interrupt());
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void server.end());
  const parent = process.ppid;
  if (process.env.JPY_PARENT_PID !== undefined) {
    setInterval(() => {
      if (process.ppid !== parent) void server.end();
    }, PARENT_CHECK_MS).unref();
  }
}
