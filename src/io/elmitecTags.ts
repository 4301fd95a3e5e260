/** One entry of the instrument's metadata. A value that the instrument marks as not available is null. */
export interface MetadataEntry {
  readonly value: number | string | readonly number[] | null;
  readonly unit: string;
}

/** Units by the digit that ends a tag's name. */
const UNITS = ['', 'V', 'mA', 'A', '°C', 'K', 'mV', 'pA', 'nA', 'µA'] as const;

/** U-View writes about 99999 where a module did not answer. */
const NOT_AVAILABLE = 99999;

const decoder = new TextDecoder('windows-1252');

class TagReader {
  readonly #view: DataView;
  position = 0;
  constructor(data: Uint8Array) {
    this.#view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }
  get left(): number {
    return this.#view.byteLength - this.position;
  }
  byte(): number {
    return this.#view.getUint8(this.position++);
  }
  bytes(count: number): number[] {
    return Array.from({ length: count }, () => this.byte());
  }
  float(): number | null {
    const value = this.#view.getFloat32(this.position, true);
    this.position += 4;
    return Math.abs(Math.abs(value) - NOT_AVAILABLE) < 2 ? null : value;
  }
  text(): string {
    const start = this.position;
    while (this.byte() !== 0);
    const bytes = new Uint8Array(this.#view.buffer, this.#view.byteOffset + start, this.position - 1 - start);
    return decoder.decode(bytes);
  }
}

/**
 * Reads the tagged LEEM data of an Elmitec image header: every tag by its name, with its unit.
 *
 * Reading stops at a tag that is not known (its length is not known either) and at a tag that is cut off; the entry
 * `unread bytes` then says how many bytes are left. Names that occur twice get their tag's number.
 *
 * @param data the 240 bytes of the image header, or the longer block after the markup.
 */
export function parseElmitecTags(data: Uint8Array): Record<string, MetadataEntry> {
  const entries: Record<string, MetadataEntry> = {};
  const reader = new TagReader(data);
  const add = (tag: number, name: string, value: MetadataEntry['value'], unit = ''): void => {
    const key = name === '' || name in entries ? `${name} (tag ${tag})`.trim() : name;
    entries[key] = { value, unit };
  };
  while (reader.left > 0) {
    const start = reader.position;
    const first = reader.byte();
    if (first === 0xff) continue;
    try {
      if (readTag(first & 0x7f, reader, add)) continue;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    entries['unread bytes'] = { value: data.byteLength - start, unit: '' };
    break;
  }
  return entries;
}

type AddEntry = (tag: number, name: string, value: MetadataEntry['value'], unit?: string) => void;

const pairOf = (reader: TagReader): number[] => [reader.float() ?? Number.NaN, reader.float() ?? Number.NaN];

/** Reads what follows the byte of a tag; false where the tag is not known. */
function readTag(tag: number, reader: TagReader, add: AddEntry): boolean {
  if (tag < 100) {
    const name = reader.text();
    const unit = UNITS[Number(name.at(-1))];
    add(tag, unit === undefined ? name : name.slice(0, -1).trim(), reader.float(), unit ?? '');
    return true;
  }
  switch (tag) {
    case 100:
      add(tag, 'Micrometer x, y', pairOf(reader));
      return true;
    case 104:
      add(tag, 'Exposure', reader.float(), 's');
      add(tag, 'Averaging', reader.bytes(2));
      return true;
    case 105:
      add(tag, 'Title', reader.text());
      return true;
    case 106:
    case 107:
    case 108:
    case 109: {
      const label = reader.text();
      const unit = reader.text();
      add(tag, label, reader.float(), unit);
      return true;
    }
    case 110:
      add(tag, 'Field of view', reader.text());
      add(tag, 'Field of view calibration', reader.float());
      return true;
    case 111:
      add(tag, 'Phi, theta', pairOf(reader));
      return true;
    case 112:
      add(tag, 'Spin', reader.bytes(2));
      return true;
    case 113:
      add(tag, 'Field of view rotation', reader.float(), '°');
      return true;
    case 114:
      add(tag, 'Mirror state', reader.bytes(2));
      return true;
    case 115:
      add(tag, 'MCP screen', reader.float(), 'kV');
      return true;
    case 116:
      add(tag, 'MCP channel plate', reader.float(), 'kV');
      return true;
    default:
      return false;
  }
}

/** The field of view in micrometers that a text like `40µm LEEM` or `800 nm` names; undefined for `none`. */
export function fieldOfViewMicrometers(text: string): number | undefined {
  const match = /(\d+(?:[.,]\d+)?)\s*([µμu]m|nm|mm)/i.exec(text);
  if (match === null) return undefined;
  const size = Number(match[1].replace(',', '.'));
  const unit = match[2].toLowerCase();
  const micrometers = unit === 'nm' ? size / 1000 : unit === 'mm' ? size * 1000 : size;
  return micrometers > 0 ? micrometers : undefined;
}
