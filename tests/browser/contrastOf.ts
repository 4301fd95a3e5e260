import type { Locator } from 'playwright-core';

/** Contrast of an element's text with what it stands on, as WCAG 2 defines it: 1 … 21, to be read from 4.5. */
export function contrastOf(element: Locator): Promise<number> {
  return element.evaluate(`(node) => {
    const read = (color) => color.match(/[\\d.]+/g).map(Number);
    const luminance = (color) => {
      const [r, g, b] = color.slice(0, 3).map((part) => {
        const value = part / 255;
        return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let ground = node;
    while (ground.parentElement && read(getComputedStyle(ground).backgroundColor)[3] === 0) ground = ground.parentElement;
    const back = read(getComputedStyle(ground).backgroundColor);
    const text = read(getComputedStyle(node).color);
    const alpha = text[3] ?? 1;
    const seen = text.slice(0, 3).map((part, k) => part * alpha + back[k] * (1 - alpha));
    const [dark, light] = [luminance(seen), luminance(back)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  }`);
}
