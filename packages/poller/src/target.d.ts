/** `linux-x64`, `linux-x64-musl`, `darwin-arm64` … */
export function target(): string;
