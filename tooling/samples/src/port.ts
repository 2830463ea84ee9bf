// The port that a sample serves on, and what it says to somebody who cannot have it. Bundled into the samples.

/**
 * Listens on the port that PORT names in the environment, else on the sample's usual one; an empty PORT names none.
 *
 * @throws Error, in a sentence for whoever started the sample, when PORT is no port, or the port is taken or forbidden
 * @example
 * const server = await onPort(8888, (port) => app.listen(port));
 */
export async function onPort<T>(usual: number, listen: (port: number) => Promise<T>): Promise<T> {
  const { PORT = "" } = process.env;
  const port = PORT === "" ? usual : Number(PORT);
  if (!/^\d*$/.test(PORT) || port > 65_535) throw new Error(`PORT is "${PORT}", which is not a port.`);
  try {
    return await listen(port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") throw new Error(`Port ${port} is taken. Set PORT to another one: PORT=9000`);
    if (code === "EACCES")
      throw new Error(`Port ${port} may not be opened by this user. Set PORT to one above 1023.`);
    throw error;
  }
}
