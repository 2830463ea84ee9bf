export { default } from "../../tooling/testing/vitest.shared.mjs";
