// What one may observe on `node:diagnostics_channel`: nobody pays when nobody looks.

import { type Channel, channel } from "node:diagnostics_channel";

/** `{ connection }` */
export const openChannel: Channel = channel("tw:websocket:open");
/** `{ connection, message }`, before it is delivered. */
export const messageChannel: Channel = channel("tw:websocket:message");
/** `{ connection, code }` */
export const closeChannel: Channel = channel("tw:websocket:close");
