// The bundle that Python calls: `shoal bundle push imaging@1 resize.ts`, then "imaging#resize".

interface Picture {
  readonly name: string;
  readonly width: number;
  readonly height: number;
}

/** The size that fits into a square of 800 pixels with the sides in proportion. */
export function resize(picture: Picture): Picture {
  const { name, width, height } = picture;
  if (!(width > 0 && height > 0)) throw new RangeError(`${name} has no size`);
  const scale = Math.min(1, 800 / Math.max(width, height));
  return { name, width: Math.round(width * scale), height: Math.round(height * scale) };
}
