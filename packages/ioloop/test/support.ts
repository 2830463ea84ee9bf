import type { LogFields, Logger } from "@tw/util";

/** A logger that remembers. */
export interface Recorder extends Logger {
  readonly records: { readonly level: string; readonly message: string; readonly fields: LogFields }[];
}

export function recorder(): Recorder {
  const records: { level: string; message: string; fields: LogFields }[] = [];
  const at =
    (level: string) =>
    (first: string | LogFields, message?: string): void => {
      if (typeof first === "string") records.push({ level, message: first, fields: {} });
      else records.push({ level, message: message ?? "", fields: first });
    };
  return { records, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
