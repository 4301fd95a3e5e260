export { createStackWriter } from './createStackWriter.js';
export { type CsvColumns, readCsv, writeCsv } from './csv.js';
export { type OpenStackOptions, openStack } from './openStack.js';
export type { OutputInfo, StackFormat, StackWriterOptions } from './outputInfo.js';
export { writeFileAtomic } from './writeFileAtomic.js';
export type { ZarrArrayMetadata, ZarrCodec } from './zarrMetadata.js';
export { createZarrGroup, openZarrGroup, type ZarrArrayOptions, ZarrGroup } from './zarrStore.js';
