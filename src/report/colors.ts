import type { Rgb } from '../stack/palettePng.js';

/**
 * The colors of the charts. In a figure's own file they stand as they are here; inside the page each becomes the CSS
 * variable of its name, which has a second value for dark mode. All differ, so that they can be told apart in the SVG.
 * Blue and vermilion (Okabe and Ito's set) stay apart for every kind of color vision.
 */
export const CHART_COLORS = {
  ink: '#1f2429',
  muted: '#5b6570',
  grid: '#e3e7eb',
  paper: '#fefefe',
  rows: '#0072b2',
  columns: '#d55e00',
  truth: '#2a2f35',
  shade: '#d9c98f',
} as const;

/** The same colors on a dark page. */
export const DARK_COLORS: Readonly<Record<keyof typeof CHART_COLORS, string>> = {
  ink: '#e6e9ec',
  muted: '#a3adb7',
  grid: '#333b43',
  paper: '#14181c',
  rows: '#56b4e9',
  columns: '#f0914e',
  truth: '#dfe3e7',
  shade: '#6e612d',
};

// A dark blue – teal – pale yellow scale of evenly rising lightness, which also reads in grey and for the color-blind.
const SEQUENTIAL_STOPS: readonly Rgb[] = [
  [16, 20, 56],
  [35, 58, 112],
  [38, 97, 135],
  [44, 133, 138],
  [78, 167, 130],
  [144, 197, 117],
  [212, 221, 122],
  [253, 244, 182],
];

function interpolateStops(stops: readonly Rgb[], size: number): Rgb[] {
  return Array.from({ length: size }, (_, k) => {
    const at = (k / (size - 1)) * (stops.length - 1);
    const low = Math.min(Math.floor(at), stops.length - 2);
    const part = at - low;
    const mix = (channel: 0 | 1 | 2) => Math.round(stops[low][channel] * (1 - part) + stops[low + 1][channel] * part);
    return [mix(0), mix(1), mix(2)];
  });
}

/** 255 colors from low to high, for matrices. */
export const SEQUENTIAL: readonly Rgb[] = interpolateStops(SEQUENTIAL_STOPS, 255);
