/** What the sample's maps are multiplied with at one energy. */
export interface GrapheneWeights {
  /** Reflectivity of the substrate and of 1, 2 and 3 layers. */
  readonly layers: readonly [number, number, number, number];
  /** Of the lines at substrate steps, and of the fine texture. */
  readonly steps: number;
  readonly texture: number;
}

/** Electron-volts above which the reflectivities of all materials run together: next to no contrast. */
export const TAIL_ENERGY = 18;

// Work function (mirror-mode edge, eV) and mirror-mode reflectivity of the substrate and of 1, 2 and 3 layers; the latter
// differ a little, as the field in front of a sample with steps in height and work function makes them.
const EDGES = [0.7, 1.1, 1.3, 1.4] as const;
const MIRROR = [1, 0.86, 0.95, 0.8] as const;
// Share of the differences that is left at a `contrast` of 1: at best a quarter of the mean brightness, rms.
const CONTRAST_SCALE = 0.6;
const BAND_CENTER = 4;
const HOPPING = 1.35;

const bell = (energy: number, center: number, width: number): number => Math.exp(-0.5 * ((energy - center) / width) ** 2);
const rise = (energy: number, center: number, width: number): number => 1 / (1 + Math.exp((center - energy) / width));

/**
 * Reflectivity of `layers` graphene layers (0 = the bare substrate) at a landing energy, between 0 and 1.
 * Mirror mode below the work function; then n minima for n layers, at the levels of a chain of n interlayer states
 * (center 4 eV, hopping 1.35 eV), and a second, weaker band at 14 eV.
 */
export function grapheneReflectivity(layers: 0 | 1 | 2 | 3, energy: number): number {
  const transmitted = rise(energy, EDGES[layers], 0.12);
  const envelope = 0.06 + 0.5 * Math.exp(-Math.max(0, energy) / 9);
  return MIRROR[layers] * (1 - transmitted) + transmitted * envelope * bandShape(layers, energy);
}

function bandShape(layers: number, energy: number): number {
  if (layers === 0) {
    return 0.75 - 0.4 * bell(energy, 5.5, 1.5) + 0.75 * bell(energy, 10.7, 1.4) - 0.35 * bell(energy, 16, 1.6);
  }
  let shape = 1.05 - 0.12 * layers * bell(energy, 10.5, 2.5);
  for (let k = 1; k <= layers; k++) {
    const level = 2 * Math.cos((Math.PI * k) / (layers + 1));
    shape -= 0.6 * bell(energy, BAND_CENTER - HOPPING * level, 0.55) + (0.4 / layers) * bell(energy, 14 + level, 0.9);
  }
  return shape;
}

/**
 * The weights of all maps at one energy. Around 8.3 eV and beyond 18 eV the materials' curves run together; the sign of
 * the texture and of the steps changes several times, as defocus makes it do.
 *
 * @param contrast factor on all differences between materials.
 * @param shares of the area: substrate, 1, 2 and 3 layers.
 */
export function grapheneWeights(energy: number, contrast: number, shares: readonly number[]): GrapheneWeights {
  const curves = ([0, 1, 2, 3] as const).map((layers) => grapheneReflectivity(layers, energy));
  const mean = curves.reduce((sum, value, i) => sum + shares[i] * value, 0);
  const dips = (1 - 0.5 * bell(energy, 8.4, 0.3)) * (1 - 0.78 * rise(energy, TAIL_ENERGY, 0.15));
  const apart = CONTRAST_SCALE * contrast * dips;
  const layers = curves.map((value) => mean + apart * (value - mean)) as [number, number, number, number];
  return {
    layers,
    steps: -apart * mean * (0.05 + 0.1 * Math.cos(0.8 * energy)),
    texture: apart * mean * 0.03 * Math.cos(0.55 * energy + 1),
  };
}
