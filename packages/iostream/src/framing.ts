export { type Codec, UNKNOWN } from "./framing/codec.js";
export { type Mapping, map, pipe } from "./framing/compose.js";
export { delimited } from "./framing/delimited.js";
export {
  CodecError,
  FrameTooLargeError,
  IncompleteFrameError,
  MalformedFrameError,
} from "./framing/errors.js";
export { fixed } from "./framing/fixed.js";
export { FrameDecoder, type FrameDecoderOptions } from "./framing/frame-decoder.js";
export type { Frames, FramesOptions } from "./framing/frames.js";
export { type Headed, type HeadedOptions, headed } from "./framing/headed.js";
export { json, jsonLines, text } from "./framing/json.js";
export { type LengthPrefixedOptions, lengthPrefixed, type Prefix } from "./framing/length-prefixed.js";
export { type LinesOptions, lines } from "./framing/lines.js";
export type { LimitedOptions } from "./framing/payload.js";
export { regex } from "./framing/regex.js";
