/** Sound as a WAV file: 16-bit PCM, one channel, which every telephone provider plays. */
export function toWav(samples: Float32Array, rate: number): Blob {
  const data = new DataView(new ArrayBuffer(44 + samples.length * 2));
  const text = (at: number, word: string) => {
    for (let index = 0; index < word.length; index += 1) data.setUint8(at + index, word.charCodeAt(index));
  };
  text(0, 'RIFF');
  data.setUint32(4, 36 + samples.length * 2, true);
  text(8, 'WAVEfmt ');
  data.setUint32(16, 16, true);
  data.setUint16(20, 1, true);
  data.setUint16(22, 1, true);
  data.setUint32(24, rate, true);
  data.setUint32(28, rate * 2, true);
  data.setUint16(32, 2, true);
  data.setUint16(34, 16, true);
  text(36, 'data');
  data.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, index) => {
    const held = Math.max(-1, Math.min(1, sample));
    data.setInt16(44 + index * 2, held < 0 ? held * 0x8000 : held * 0x7fff, true);
  });
  return new Blob([data.buffer], { type: 'audio/wav' });
}

/** Whatever the browser recorded, as a WAV of 8 kHz: what a telephone line carries anyway. */
export async function telephoneWav(recorded: Blob): Promise<Blob> {
  const rate = 8000;
  const context = new AudioContext();
  try {
    const sound = await context.decodeAudioData(await recorded.arrayBuffer());
    const offline = new OfflineAudioContext(1, Math.max(1, Math.ceil(sound.duration * rate)), rate);
    const source = offline.createBufferSource();
    source.buffer = sound;
    source.connect(offline.destination);
    source.start();
    return toWav((await offline.startRendering()).getChannelData(0), rate);
  } finally {
    await context.close();
  }
}
