/** Whether `n` is even and has no prime factor above 5: sizes at which FFTs are fast. */
export function isFastSize(n: number): boolean {
  if (!Number.isInteger(n) || n < 2 || n % 2 !== 0) return false;
  let rest = n;
  for (const factor of [2, 3, 5]) while (rest % factor === 0) rest /= factor;
  return rest === 1;
}

/** The smallest fast size of at least `n`. */
export function fastSizeFrom(n: number): number {
  let size = Math.max(2, 2 * Math.ceil(n / 2));
  while (!isFastSize(size)) size += 2;
  return size;
}

/** The largest fast size of at most `n`; 0 if there is none. */
export function fastSizeUpTo(n: number): number {
  let size = 2 * Math.floor(n / 2);
  while (size >= 2 && !isFastSize(size)) size -= 2;
  return Math.max(0, size);
}
