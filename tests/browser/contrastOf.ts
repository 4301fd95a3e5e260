import type { Locator } from 'playwright-core';

/** The part of an element that is asked here; the tests are compiled without the browser's types. */
interface StyledNode {
  readonly parentElement: StyledNode | null;
  readonly ownerDocument: {
    readonly defaultView: { getComputedStyle(node: StyledNode): { readonly color: string; readonly backgroundColor: string } };
  };
}

/** Contrast of an element's text with what it stands on, as WCAG 2 defines it: 1 … 21, to be read from 4.5. */
export function contrastOf(element: Locator): Promise<number> {
  return element.evaluate((node: StyledNode) => {
    const styleOf = (one: StyledNode) => one.ownerDocument.defaultView.getComputedStyle(one);
    // rgb(…) counts to 255, color(srgb …), which is what a mixture is given as, to 1
    const read = (color: string) => {
      const scale = color.startsWith('color(') ? 255 : 1;
      return (color.match(/[\d.]+/g) ?? []).map((part, k) => Number(part) * (k < 3 ? scale : 1));
    };
    const luminance = (color: readonly number[]) => {
      const [r, g, b] = color.slice(0, 3).map((part) => {
        const value = part / 255;
        return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let ground = node;
    while (ground.parentElement && read(styleOf(ground).backgroundColor)[3] === 0) ground = ground.parentElement;
    const back = read(styleOf(ground).backgroundColor);
    const text = read(styleOf(node).color);
    const alpha = text[3] ?? 1;
    const seen = text.slice(0, 3).map((part, k) => part * alpha + back[k] * (1 - alpha));
    const [dark, light] = [luminance(seen), luminance(back)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  });
}
