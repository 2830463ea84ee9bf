// The bytes of all large bodies: a MiB that repeats, the same as the load's.
export const MIB = 1 << 20;

export const pattern = () => {
  const bytes = new Uint8Array(MIB);
  for (let i = 0; i < MIB; i++) bytes[i] = Math.imul(i, 2_654_435_761) >>> 24;
  return bytes;
};
