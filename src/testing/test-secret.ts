/** In place of a drawn secret: hashed under it, the keys of a test have the same places in every run. */
export const TEST_SECRET = new Uint8Array(32);
