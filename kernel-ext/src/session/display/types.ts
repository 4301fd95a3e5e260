/**
 * One output in several forms; a front end shows the richest that it knows. Keys of `data` are MIME types. Binary types
 * (`image/png`) are base64 strings, JSON types (`…+json`) objects, all others strings.
 */
export interface MimeBundle {
  readonly data: Readonly<Record<string, unknown>>;
  /** By MIME type, for example `{ 'image/png': { width: 320 } }`, or of the whole output. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}
