import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Json } from '../shared/messages.js';
import { PROTOCOL_VERSION } from './wireMessage.js';

const require = createRequire(import.meta.url);

function versionOf(file: string): string {
  return String((JSON.parse(readFileSync(file, 'utf8')) as { version?: unknown }).version);
}

/** The content of a kernel_info_reply. */
export function kernelInfo(): Json {
  const version = versionOf(fileURLToPath(new URL('../../package.json', import.meta.url)));
  const typescript = versionOf(require.resolve('@tslab/typescript-for-tslab/package.json'));
  return {
    status: 'ok',
    protocol_version: PROTOCOL_VERSION,
    implementation: 'leemlab',
    implementation_version: version,
    language_info: {
      name: 'typescript',
      version: typescript,
      mimetype: 'text/typescript',
      file_extension: '.ts',
      pygments_lexer: 'typescript',
      // JupyterLab takes the language from the name; the classic Notebook from this
      codemirror_mode: { name: 'javascript', mode: 'typescript', typescript: true },
      nbconvert_exporter: 'script',
    },
    banner: `leemlab ${version} · TypeScript ${typescript} · Node ${process.versions.node}`,
    debugger: false,
    supported_features: [],
    help_links: [
      { text: 'TypeScript', url: 'https://www.typescriptlang.org/docs/' },
      { text: 'TensorFlow.js', url: 'https://js.tensorflow.org/api/latest/' },
      { text: 'Paper: De Jong et al. 2020', url: 'https://doi.org/10.1016/j.ultramic.2020.112913' },
    ],
  };
}
