// The chat as an application: its page, its socket, and the room behind both.

import { randomBytes } from "node:crypto";
import { Application, IOLoop, route } from "@tw/tornado";
import { type ChatSettings, ChatSocket } from "./chat-socket.js";
import { ROOM_LIMITS, type RoomLimits, SOCKET_LIMITS, type SocketLimits } from "./limits.js";
import { pageRoutes } from "./page.js";
import { Room } from "./room.js";

/** Makes a chat with a room of its own. */
export function chatApplication(
  limits: { readonly room?: Partial<RoomLimits>; readonly sockets?: Partial<SocketLimits> } = {},
): Application<ChatSettings> {
  const loop = IOLoop.current();
  const room = new Room(
    { ...ROOM_LIMITS, ...limits.room },
    {
      now: () => loop.time(),
      wallNow: () => Math.round(loop.wallTime()),
      secret: () => randomBytes(18).toString("base64url"),
    },
  );
  const settings: ChatSettings = {
    room,
    sockets: new Set(),
    socketLimits: { ...SOCKET_LIMITS, ...limits.sockets },
  };
  return new Application<ChatSettings>([...pageRoutes(), route("/socket", ChatSocket)], settings);
}
