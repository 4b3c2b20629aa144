import { describe, expect, it } from 'vitest';
import { toWav } from './wav';

describe('a WAV file', () => {
  it('says how long it is and holds the samples, clipped to what fits', async () => {
    const file = toWav(new Float32Array([0, 1, -1, 2]), 8000);
    const data = new DataView(await file.arrayBuffer());
    expect(file.size).toBe(44 + 8);
    expect(data.getUint32(24, true)).toBe(8000);
    expect(data.getUint32(40, true)).toBe(8);
    expect([0, 1, 2, 3].map((index) => data.getInt16(44 + index * 2, true))).toEqual([
      0, 32767, -32768, 32767,
    ]);
  });
});
